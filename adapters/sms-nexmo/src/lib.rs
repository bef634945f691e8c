//! Text messages by the Nexmo (Vonage) SMS API.
