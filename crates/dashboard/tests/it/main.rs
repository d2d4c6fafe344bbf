//! The pages as a browser gets them: from the routes, over a store and services of its own.

mod accounts;
mod backups;
mod conversations;
mod door;
mod empty;
mod lists;
mod live;
mod logs;
mod operations;
mod pages;
mod settings;
mod webhooks;
mod work;
mod world;
