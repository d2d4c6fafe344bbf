//! A database on the PostgreSQL of a run, and questions to it past the product.

use anyhow::{Context, Result};
use tokio_postgres::{NoTls, SimpleQueryMessage};

/// A new database; it stays when the run ends, so that what went wrong can be looked at.
pub(crate) struct Database {
    pub(crate) url: String,
}

impl Database {
    /// Makes a database of this name in the place of one that is there.
    pub(crate) async fn fresh(server: Option<&str>, name: &str) -> Result<Self> {
        let server =
            server.context("there is no PostgreSQL; `cargo xtask bench` starts the one that is installed")?;
        ask(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
        ask(server, &format!("CREATE DATABASE {name} TEMPLATE template0")).await?;
        let (server, _) = server.rsplit_once('/').context("the address of PostgreSQL names no database")?;
        Ok(Self { url: format!("{server}/{name}") })
    }

    /// Runs statements; the first column of what they find.
    pub(crate) async fn ask(&self, sql: &str) -> Result<Vec<String>> {
        ask(&self.url, sql).await
    }
}

async fn ask(url: &str, sql: &str) -> Result<Vec<String>> {
    let (client, connection) =
        tokio_postgres::connect(url, NoTls).await.context("cannot connect to PostgreSQL")?;
    let asking = async {
        let found = client.simple_query(sql).await;
        drop(client);
        found
    };
    let (found, _) = tokio::join!(asking, connection);
    let found = found.with_context(|| format!("PostgreSQL refuses: {sql}"))?;
    let first = |message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    };
    Ok(found.into_iter().filter_map(first).collect())
}
