//! Beats, the overview and clearing against a pretend Telegram.

#[cfg(test)]
mod world;

#[cfg(test)]
mod clearing;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod history;
#[cfg(test)]
mod traffic;
