//! Alerts over a real store: what targets get, whatever happens to them, to the store and to the program.

#[cfg(test)]
mod chats;
#[cfg(test)]
mod hook;
#[cfg(test)]
mod mailbox;
#[cfg(test)]
mod offline;
#[cfg(test)]
mod script;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod silence;
#[cfg(test)]
mod telling;
#[cfg(test)]
mod world;
