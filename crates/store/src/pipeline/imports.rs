//! Clients, appeals and history of an older program, taken over page by page: what is here is kept, no event reports it, and what
//! was taken before is passed over.

use ambient::Ids;
use domain::{
    AppealId, AppealState, Author, ChannelChat, ClientId, ClientIdentity, ContactProof, ImportId, MergeId,
    Timestamp, Words,
};

use super::import_statements as sql;
use super::{clients, intake, rows, statements, words};
use crate::column::Columns;
use crate::database::{Row, params};
use crate::write::Transaction;
use crate::{StoreError, codes};

/// What the id of a message of an older program begins with.
const OLD: &str = "old_";
/// Messages of an older program come before those of now by this: their places are no numbers of events that are still read.
const BEFORE: std::time::Duration = std::time::Duration::from_mins(1);
/// What a run did to a client: it made the row, or filled what was empty.
pub(super) const MADE: i64 = 1;
pub(super) const NAME: i64 = 2;
pub(super) const PHONE: i64 = 4;
pub(super) const EMAIL: i64 = 8;

/// A client of an older program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastClient {
    /// Its id there.
    pub id: String,
    /// What identifies it; the first one that is known here decides.
    pub identities: Vec<ClientIdentity>,
    pub name: Option<String>,
    pub phone: Option<String>,
    pub email: Option<String>,
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
}

/// An appeal of an older program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastAppeal {
    /// Its id there.
    pub id: String,
    /// The id of its client there. Without one, it is whose chat it is.
    pub client: Option<String>,
    pub chat: ChannelChat,
    pub state: AppealState,
    pub assignee: Option<String>,
    pub opened_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
}

/// A message in the history of an older program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastMessage {
    /// Its id there.
    pub id: String,
    /// The ids of its appeal and its client there.
    pub appeal: Option<String>,
    pub client: Option<String>,
    /// Without one, it is of the chat of its appeal.
    pub chat: Option<ChannelChat>,
    pub author: Author,
    pub external_id: Option<String>,
    pub text: Words,
    pub at: Timestamp,
    /// How many messages with the same time come before it.
    pub nth: u32,
}

/// Two clients that an older program made one of, by their ids there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastMerge {
    pub merged: String,
    pub master: String,
}

/// A page of what an older program has; 2000 rows at most.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastPage {
    pub clients: Vec<PastClient>,
    pub appeals: Vec<PastAppeal>,
    pub messages: Vec<PastMessage>,
    pub merges: Vec<PastMerge>,
}

/// The result of a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportTaken {
    /// Clients that are new here.
    pub clients: u64,
    /// Clients that wrote here already: they have their old id from now on.
    pub joined: u64,
    /// Clients without a row in the older program, made for appeals.
    pub made: u64,
    pub appeals: u64,
    /// Appeals that were taken before, moved on there since, and not here.
    pub changed: u64,
    pub messages: u64,
    pub merges: u64,
    /// Rows that were taken before.
    pub known: u64,
    /// Messages of no chat and merges of clients that are not here.
    pub left: u64,
}

/// A run that took over what an older program has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredImport {
    pub id: ImportId,
    /// Where it came from.
    pub source: String,
    pub began_at: Timestamp,
    pub undone_at: Option<Timestamp>,
    /// How many of each it brought.
    pub clients: u64,
    pub appeals: u64,
    pub messages: u64,
}

pub(super) fn import(row: &Row<'_>) -> Result<StoredImport, StoreError> {
    let columns = Columns::new(row, "pipeline_imports");
    Ok(StoredImport {
        id: ImportId::from_uuid(uuid::Uuid::from_bytes(columns.get(0)?)),
        source: columns.get(1)?,
        began_at: columns.time(2)?,
        undone_at: columns.maybe_time(3)?,
        clients: columns.count(4)?,
        appeals: columns.count(5)?,
        messages: columns.count(6)?,
    })
}

pub(super) fn present(transaction: &Transaction<'_>, id: &ImportId) -> Result<StoredImport, StoreError> {
    let found = transaction.first(sql::IMPORT, [*id.as_uuid().as_bytes()], import)?;
    found.ok_or_else(|| StoreError::not_found("pipeline_imports", format!("there is no import {id}")))
}

/// An appeal that was taken over.
struct ImportedAppeal {
    id: AppealId,
    client: ClientId,
    chat: ChannelChat,
    state: AppealState,
    /// The state that it was taken over with.
    taken: Option<AppealState>,
}

fn imported_appeal(row: &Row<'_>) -> Result<ImportedAppeal, StoreError> {
    let columns = Columns::new(row, "pipeline_appeals");
    let taken = columns.get::<Option<i64>>(6)?;
    Ok(ImportedAppeal {
        id: AppealId::from_uuid(uuid::Uuid::from_bytes(columns.get(0)?)),
        client: ClientId::from_uuid(uuid::Uuid::from_bytes(columns.get(1)?)),
        chat: rows::address(&columns, 2)?,
        state: columns.coded(5, "state of an appeal", codes::appeal)?,
        taken: taken.map(|_| columns.coded(6, "state of an appeal", codes::appeal)).transpose()?,
    })
}

/// A run at work on a page.
struct Run<'a, 'b> {
    transaction: &'a Transaction<'b>,
    ids: &'a Ids,
    id: ImportId,
    began_at: Timestamp,
    taken: ImportTaken,
}

/// By what a client is found.
fn texts(past: &PastClient) -> impl Iterator<Item = &str> {
    [&past.name, &past.phone, &past.email].into_iter().flatten().map(String::as_str)
}

/// Takes a page over, with what is not here yet.
pub(super) fn take(
    transaction: &Transaction<'_>,
    id: &ImportId,
    page: &PastPage,
    ids: &Ids,
) -> Result<ImportTaken, StoreError> {
    let StoredImport { began_at, undone_at, .. } = present(transaction, id)?;
    if undone_at.is_some() {
        return Err(StoreError::conflict("pipeline_imports", format!("the import {id} was undone")));
    }
    let mut run = Run { transaction, ids, id: *id, began_at, taken: ImportTaken::default() };
    for client in &page.clients {
        run.client(client)?;
    }
    for appeal in &page.appeals {
        run.appeal(appeal)?;
    }
    for message in &page.messages {
        run.message(message)?;
    }
    for merge in &page.merges {
        run.merge(merge)?;
    }
    let ImportTaken { clients, joined, made, appeals, messages, .. } = run.taken;
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX / 4);
    let counts =
        params![number(clients + joined + made), number(appeals), number(messages), id.as_uuid().as_bytes()];
    transaction.run(sql::COUNT_IMPORT, counts)?;
    Ok(run.taken)
}

impl Run<'_, '_> {
    fn client(&mut self, past: &PastClient) -> Result<(), StoreError> {
        if self.row_of(&past.id)?.is_some() {
            self.taken.known += 1;
            return Ok(());
        }
        let mut found = None;
        for identity in &past.identities {
            found = self.of_identity(identity)?;
            if found.is_some() {
                break;
            }
        }
        let has_old_id = |client: &ClientId| {
            self.transaction.first(sql::HAS_OUTSIDE, [*client.as_uuid().as_bytes()], |_| Ok(()))
        };
        let taken = found.as_ref().map(has_old_id).transpose()?.flatten().is_some();
        let client = match found {
            Some(client) if !taken => {
                self.join(client, past)?;
                client
            }
            // Two clients of one identity stay two; the first has it.
            _ => {
                self.taken.clients += 1;
                self.add(Some(past), MADE)?
            }
        };
        for ClientIdentity { kind, value } in &past.identities {
            // The owner vouches for numbers that are named as identities. Of addresses it is unknown how they were proved there.
            let proof = match kind.as_str() {
                ClientIdentity::PHONE => ContactProof::Provider,
                ClientIdentity::EMAIL => ContactProof::Program,
                _ => ContactProof::ChannelId,
            };
            let at = self.began_at.as_micros();
            let (key, run) = (client.as_uuid().as_bytes(), self.id.as_uuid().as_bytes());
            let row = params![kind, value, key, proof.as_str(), at, run];
            self.transaction.run(sql::ADD_PAST_IDENTITY, row)?;
        }
        Ok(())
    }

    /// Gives a client of ours its old id, and fills what is not known of it.
    fn join(&mut self, client: ClientId, past: &PastClient) -> Result<(), StoreError> {
        let Some(known) = clients::get(self.transaction, &client)? else { return Ok(()) };
        let fills = |bit: i64, here: &Option<String>, there: &Option<String>| {
            if here.is_none() && there.is_some() { bit } else { 0 }
        };
        let filled = fills(NAME, &known.name, &past.name)
            | fills(PHONE, &known.phone, &past.phone)
            | fills(EMAIL, &known.email, &past.email);
        self.taken.joined += 1;
        words::add(self.transaction, &client, texts(past))?;
        self.transaction.run(
            sql::JOIN_CLIENT,
            params![
                past.name,
                past.phone,
                past.email,
                past.id,
                self.id.as_uuid().as_bytes(),
                filled,
                client.as_uuid().as_bytes()
            ],
        )
    }

    fn add(&self, past: Option<&PastClient>, made: i64) -> Result<ClientId, StoreError> {
        let client = ClientId::from_uuid(self.ids.next());
        let nothing = PastClient::default();
        let PastClient { name, phone, email, created_at, updated_at, .. } = past.unwrap_or(&nothing);
        let created = created_at.unwrap_or(self.began_at);
        words::add(self.transaction, &client, past.into_iter().flat_map(texts))?;
        self.transaction.run(
            sql::ADD_PAST_CLIENT,
            params![
                client.as_uuid().as_bytes(),
                name,
                phone,
                email,
                created.as_micros(),
                updated_at.unwrap_or(created).as_micros(),
                past.map(|past| past.id.as_str()),
                self.id.as_uuid().as_bytes(),
                made
            ],
        )?;
        Ok(client)
    }

    fn appeal(&mut self, past: &PastAppeal) -> Result<(), StoreError> {
        let updated = past.updated_at.or(past.closed_at).or(past.opened_at).unwrap_or(self.began_at);
        // Where all have one time, the open one is the last.
        let before = std::time::Duration::from_micros(u64::from(!past.state.is_open()));
        let opened = past.opened_at.unwrap_or(updated.minus(before));
        let closed = (!past.state.is_open()).then(|| past.closed_at.unwrap_or(updated).as_micros());
        let state = codes::of_appeal(past.state);
        if let Some(known) = self.transaction.first(sql::PAST_APPEAL, [past.id.as_str()], imported_appeal)? {
            if known.taken == Some(known.state) && known.state != past.state {
                let set = params![state, closed, updated.as_micros(), known.id.as_uuid().as_bytes()];
                self.transaction.run(sql::MOVE_PAST_APPEAL, set)?;
                self.taken.changed += 1;
            } else {
                self.taken.known += 1;
            }
            return Ok(());
        }
        let known = self.client_of(past.client.as_deref(), Some(&past.chat))?;
        let client = if let Some(client) = known {
            client
        } else {
            self.taken.made += 1;
            self.add(None, MADE)?
        };
        let run = self.id.as_uuid().as_bytes();
        let (channel, account, chat) =
            (past.chat.channel.as_str(), past.chat.account.as_str(), past.chat.chat.as_str());
        let key = client.as_uuid().as_bytes();
        self.transaction.run(sql::ADD_PAST_CHAT, params![channel, account, chat, key, run])?;
        self.transaction.run(
            sql::ADD_PAST_APPEAL,
            params![
                self.ids.next().as_bytes(),
                key,
                state,
                channel,
                account,
                chat,
                past.assignee,
                opened.as_micros(),
                closed,
                updated.as_micros(),
                past.id,
                run
            ],
        )?;
        self.taken.appeals += 1;
        Ok(())
    }

    fn message(&mut self, past: &PastMessage) -> Result<(), StoreError> {
        let id = format!("{OLD}{}", past.id);
        if self.transaction.first(sql::STORED_MESSAGE, [id.as_str()], |_| Ok(()))?.is_some() {
            self.taken.known += 1;
            return Ok(());
        }
        let appeal = match past.appeal.as_deref() {
            Some(appeal) => self.transaction.first(sql::PAST_APPEAL, [appeal], imported_appeal)?,
            None => None,
        };
        let Some(chat) = past.chat.as_ref().or(appeal.as_ref().map(|appeal| &appeal.chat)) else {
            self.taken.left += 1;
            return Ok(());
        };
        let client = match &appeal {
            Some(appeal) => Some(appeal.client),
            None => self.client_of(past.client.as_deref(), Some(chat))?,
        };
        let latest = self.began_at.minus(BEFORE);
        let mut number = past.at.min(latest).as_micros().saturating_add(past.nth.into());
        let add = |number: i64| {
            self.transaction.execute(
                sql::ADD_PAST_MESSAGE,
                params![
                    number,
                    chat.channel.as_str(),
                    chat.account.as_str(),
                    chat.chat.as_str(),
                    codes::of_author(past.author),
                    client.as_ref().map(|id| *id.as_uuid().as_bytes()),
                    appeal.as_ref().map(|appeal| *appeal.id.as_uuid().as_bytes()),
                    self.id.as_uuid().as_bytes(),
                    id,
                    past.external_id,
                    past.text.as_str(),
                    past.at.as_micros()
                ],
            )
        };
        while add(number)? == 0 {
            number = self.free_after(number)?;
        }
        self.taken.messages += 1;
        client.map_or(Ok(()), |client| words::add(self.transaction, &client, [past.text.as_str()]))
    }

    /// The first place after this one that may be free.
    fn free_after(&self, number: i64) -> Result<i64, StoreError> {
        let taken: Vec<i64> = self.transaction.all(sql::NUMBERS_FROM, [number], |row| row.get(0))?;
        let row = (number..).zip(&taken).take_while(|(next, taken)| next == *taken);
        Ok(row.last().map_or(number, |(last, _)| last + 1))
    }

    fn merge(&mut self, past: &PastMerge) -> Result<(), StoreError> {
        let (merged, master) = (self.row_of(&past.merged)?, self.row_of(&past.master)?);
        let (Some((merged, into)), Some((master, _))) = (merged, master) else {
            self.taken.left += 1;
            return Ok(());
        };
        let master = self.living(master)?;
        let pair = params![master.as_uuid().as_bytes(), merged.as_uuid().as_bytes()];
        // What a person split here stays split.
        let is_known =
            into.is_some() || self.transaction.first(sql::WERE_MERGED, pair, |_| Ok(()))?.is_some();
        if is_known {
            self.taken.known += 1;
        } else if master == merged {
            self.taken.left += 1;
        } else {
            let id = MergeId::from_uuid(self.ids.next());
            clients::join(self.transaction, id, (master, merged), &self.id.to_string(), self.began_at)?;
            self.taken.merges += 1;
        }
        Ok(())
    }

    /// The client of an old id, and the one that it was merged into.
    fn row_of(&self, outside: &str) -> Result<Option<(ClientId, Option<ClientId>)>, StoreError> {
        self.transaction.first(sql::PAST_CLIENT, [outside], |row| {
            let columns = Columns::new(row, "pipeline_clients");
            let id = |bytes: [u8; 16]| ClientId::from_uuid(uuid::Uuid::from_bytes(bytes));
            Ok((id(columns.get(0)?), columns.get::<Option<[u8; 16]>>(1)?.map(id)))
        })
    }

    fn of_identity(&self, identity: &ClientIdentity) -> Result<Option<ClientId>, StoreError> {
        let key = params![identity.kind, identity.value];
        self.transaction.first(statements::BY_IDENTITY, key, rows::only_client)
    }

    /// The client that is there in the place of one.
    fn living(&self, client: ClientId) -> Result<ClientId, StoreError> {
        Ok(clients::living(self.transaction, &client)?.map_or(client, |living| living.id))
    }

    /// Whose something is: by the client's old id, then by the chat.
    fn client_of(
        &self,
        outside: Option<&str>,
        chat: Option<&ChannelChat>,
    ) -> Result<Option<ClientId>, StoreError> {
        if let Some(outside) = outside
            && let Some((client, _)) = self.row_of(outside)?
        {
            return self.living(client).map(Some);
        }
        let Some(chat) = chat else { return Ok(None) };
        if let Some(client) = intake::chat(self.transaction, chat)?.and_then(|chat| chat.client) {
            return self.living(client).map(Some);
        }
        let identity = ClientIdentity::of_writer(chat, Some(chat.chat.as_str()));
        Ok(identity.map(|identity| self.of_identity(&identity)).transpose()?.flatten())
    }
}
