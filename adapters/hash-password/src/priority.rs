//! Hashing makes way: it is the one work here that fills cores, and nobody else should feel it.

/// How many nice levels below the process: a tenth of a core's time where somebody else wants it, all of it where nobody does.
#[cfg(target_os = "linux")]
const STEP: i32 = 10;
/// The lowest priority there is.
#[cfg(target_os = "linux")]
const LOWEST: i32 = 19;

/// Lowers the priority of the calling thread, where the system has one per thread. Failing that, hashing is merely less polite.
pub fn step_back() {
    #[cfg(target_os = "linux")]
    {
        // To Linux a "process" is a thread here (setpriority(2), notes).
        let now = rustix::process::getpriority_process(None).unwrap_or(0);
        let _ = rustix::process::setpriority_process(None, (now + STEP).min(LOWEST));
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_the_thread_that_asks_steps_back() {
        let priority = || rustix::process::getpriority_process(None).unwrap();
        let before = priority();
        let lowered = std::thread::spawn(move || {
            step_back();
            priority()
        });
        assert_eq!(lowered.join().unwrap(), (before + STEP).min(LOWEST));
        assert_eq!(priority(), before);
    }
}
