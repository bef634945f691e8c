//! Several nodes on one store, behind a real balancer, through faults.
