//! The pages as a browser gets them: from the routes, over a store and services of its own.

mod accounts;
mod backups;
mod campaigns;
mod channel_login;
mod channels;
mod conversations;
mod door;
mod empty;
mod flows;
mod inbox;
mod lists;
mod live;
mod logs;
mod operations;
mod pages;
mod profiles;
mod settings;
mod webhooks;
mod work;
mod world;
