mod change;
mod code;
mod create;
mod login;
mod password;
mod phone;
mod read;
mod verify;
