//! The contract of the old ports, as their callers know it: every row of the old gateway's description, asked for by an
//! n8n-like client and by Python's `requests`, answered by the real program.

mod access;
mod caller;
mod cases;
mod create_chat;
mod doubt;
mod failed_requests;
mod file_ids;
mod file_names;
mod health;
mod invite_callback;
mod keys;
mod leave_chat;
mod pinned;
mod refusals;
mod send_media;
mod send_text;
mod shape;
mod stage;
mod table;
