//! Parts on their way: given to an account, sent, proved unsent, or in doubt.

use domain::event::MessageEvent;
use domain::message::{PartItem, PartState};
use domain::timeline::{Entry, Step};
use domain::{AccountName, Address, ChatId, ContactLimits, MessageId, MessageState, Outcome};

use super::ending::count_unresolved;
use super::statements as sql;
use super::{
    Begin, Binding, Doubt, PARTS, PartSent, PartUnsent, TABLE, Then, events, held_back, items, key, receipt,
    refused, state_of, timeline,
};
use crate::accounts::{save_hold, statements as accounts};
use crate::column::{Columns, to_json};
use crate::database::{Row, params};
use crate::do_not_contact::Purpose;
use crate::outbox::accept::{PartColumns, insert_part};
use crate::point::{self, Point};
use crate::write::{Durability, Transaction, Write};
use crate::{StoreError, codes, do_not_contact, failovers, first_contacts, sent_counts};

pub(super) struct BeginWrite {
    begin: Begin,
    limits: ContactLimits,
    parts: Vec<PartColumns>,
}

impl BeginWrite {
    pub(super) fn new(begin: Begin, limits: ContactLimits) -> Result<Self, StoreError> {
        let plan = begin.plan.iter().flatten();
        let parts = plan.map(|part| PartColumns::new(part, true)).collect::<Result<_, _>>()?;
        Ok(Self { begin, limits, parts })
    }

    /// Begins a part where nothing prevents it: it waits, and no other one is under way.
    fn is_first(&self, transaction: &Transaction<'_>) -> Result<bool, StoreError> {
        let Begin { id, part, plan, .. } = &self.begin;
        Ok(plan.is_none() && transaction.change_row(sql::BEGIN_WAITING_PART, params![key(id), part])?)
    }

    /// Whether this account has the part already. No part may be under way through another one: the message's row
    /// names only one account, and the one who has a part must stay known.
    fn is_repeated(&self, transaction: &Transaction<'_>) -> Result<bool, StoreError> {
        let Begin { id, account, part, .. } = &self.begin;
        let begun = transaction.all(sql::BEGUN_PARTS, [key(id)], |row| {
            let columns = Columns::new(row, PARTS);
            Ok((columns.get::<u16>(0)?, columns.maybe_account(1)?))
        })?;
        if let Some((other, holder)) = begun.iter().find(|(_, holder)| holder.as_ref() != Some(account)) {
            let holder = holder.as_ref().map_or("another account", AccountName::as_str);
            let what = format!("part {other} of {id} is with {holder}, so {account} cannot begin");
            return Err(StoreError::conflict(PARTS, what));
        }
        Ok(begun.iter().any(|(begun, _)| begun == part))
    }

    /// Puts the plan in the place of the parts there are. What was begun or sent cannot be planned away.
    fn replace_parts(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let Some(plan) = &self.begin.plan else { return Ok(()) };
        let id = &self.begin.id;
        let known = transaction.all(sql::PLANNED_PARTS, [key(id)], |row| {
            let columns = Columns::new(row, PARTS);
            let state = columns.coded(2, "state", codes::part)?;
            Ok((columns.get::<u16>(0)?, items::read(&columns, 1, 3)?, state))
        })?;
        let is_known = known.len() == plan.len()
            && known
                .iter()
                .zip(plan)
                .all(|((index, items, _), part)| *index == part.index && are_same(items, &part.items));
        if is_known {
            // The same write again, because the answer to the first came too late.
            return Ok(());
        }
        for (index, items, state) in known.into_iter().filter(|(.., state)| *state != PartState::Waiting) {
            let kept = |part: &domain::message::Part| {
                (part.index, part.state) == (index, state) && are_same(&items, &part.items)
            };
            if !plan.iter().any(kept) {
                let what = format!("part {index} of {id} is {}, so it cannot be replaced", state.as_str());
                return Err(StoreError::conflict(PARTS, what));
            }
        }
        transaction.run(sql::DROP_PARTS, [key(id)])?;
        for (part, columns) in plan.iter().zip(&self.parts) {
            insert_part(transaction, id, part, columns)?;
        }
        Ok(())
    }
}

/// Whether these are the same calls to the provider, whatever is known of their ids there.
fn are_same(items: &[PartItem], others: &[PartItem]) -> bool {
    let call = |item: &PartItem| (item.random_id, item.media);
    items.iter().map(call).eq(others.iter().map(call))
}

impl Write for BeginWrite {
    type Answer = ();
    const POINT: Option<Point> = Some(point::BEGIN);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let Begin { id, account, address, part, at, .. } = &self.begin;
        let chat_id = address.chat_id();
        let is_first = self.is_first(transaction)?;
        let is_repeated = !is_first && self.is_repeated(transaction)?;
        let begun = transaction.change_row(
            sql::BEGIN_MESSAGE,
            params![account.as_str(), chat_id.map(ChatId::get), at.as_micros(), key(id)],
        )?;
        if !begun {
            return refused(transaction, id, "nothing of it can be begun");
        }
        if !is_first {
            self.replace_parts(transaction)?;
            if transaction.execute(sql::BEGIN_PART, params![key(id), part])? == 0 {
                return Err(no_such_part(transaction, id, *part));
            }
        }
        if is_repeated {
            return Ok(());
        }
        if do_not_contact::is_there_any(transaction)? {
            let read = |row: &Row<'_>| {
                let columns = Columns::new(row, TABLE);
                Ok((columns.parsed(0)?, columns.get::<String>(1)?))
            };
            let asked = transaction.first(sql::CHAT_OF, [key(id)], read)?;
            let (chat, listener) = asked.unwrap_or_else(|| (address.clone().into(), String::new()));
            do_not_contact::refuse(transaction, &chat, chat_id, Purpose::of(&listener), *at)?;
        }
        first_contacts::admit(transaction, (account, address), self.limits, *at)?;
        let entry = Entry {
            at: *at,
            step: Step::Begun,
            part: Some(*part),
            account: Some(account.clone()),
            outcome: None,
            detail: self.begin.passed_over.clone(),
        };
        timeline::add_one(transaction, id, &entry)?;
        let failover = self.begin.failover.as_ref();
        failover.map_or(Ok(()), |failover| failovers::happened(transaction, failover, id))
    }
}

impl PartSent {
    /// What the timeline says of it.
    pub fn entry(&self, step: Step) -> Entry {
        let outcome = Outcome::Sent(self.message_ids.clone());
        Entry {
            at: self.at,
            step,
            part: Some(self.part),
            account: Some(self.account.clone()),
            outcome: Some(outcome.kind()),
            detail: outcome.detail(),
        }
    }
}

pub(super) struct SentWrite {
    sent: PartSent,
    ids: Option<String>,
}

impl SentWrite {
    pub(super) fn new(sent: PartSent) -> Result<Self, StoreError> {
        Ok(Self { ids: items::ids_column(&sent.message_ids)?, sent })
    }
}

impl Write for SentWrite {
    type Answer = ();
    const POINT: Option<Point> = Some(point::PART_SENT);

    fn durability(&self) -> Durability {
        if self.sent.repeatable { Durability::Soon } else { Durability::Synced }
    }

    fn is_reported_early(&self) -> bool {
        self.sent.repeatable
    }

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let PartSent { id, part, is_only, account, address, message_ids, binding, counted, at, .. } =
            &self.sent;
        let chat_id = address.chat_id().map(ChatId::get);
        let params = params![items::first_column(message_ids), self.ids, key(id), part];
        if !transaction.change_row(sql::PART_SENT, params)? {
            return match part_state(transaction, id, *part)? {
                Some(PartState::Sent) => Ok(()),
                _ => Err(no_such_part(transaction, id, *part)),
            };
        }
        let params = params![account.as_str(), chat_id, at.as_micros(), key(id)];
        let part_left = !is_only && transaction.first(sql::UNSENT_PART, [key(id)], |_| Ok(()))?.is_some();
        let finished = !part_left && transaction.change_row(sql::FINISH, params)?;
        // Where the message has ended otherwise, the part is written down and the end stays.
        let went_on = !finished
            && transaction.execute(sql::GO_ON, params)? == 0
            && transaction.execute(
                sql::GO_ON_FROM_DOUBT,
                params![account.as_str(), chat_id, key(id), at.as_micros()],
            )? > 0;
        let state = if went_on { Some(state_of(transaction, id)?) } else { None };
        let step = if finished { Step::Sent } else { Step::Attempted };
        timeline::add_one(transaction, id, &self.sent.entry(step))?;
        match state {
            Some(MessageState::Failed) => held_back::failed(transaction, id, *at)?,
            Some(MessageState::Queued) => events::changed(transaction, id, *at)?,
            _ => {}
        }
        if finished {
            let ids: Vec<_> = message_ids.iter().flatten().cloned().collect();
            let message_ids = if *is_only { ids } else { events::message_ids(transaction, id)? };
            let data = MessageEvent { message_ids, ..MessageEvent::new(*id, MessageState::Sent) };
            events::sent(transaction, data, account, address.to_string(), *at);
        }
        if *counted {
            sent_counts::add(transaction, account, *at)?;
        }
        if let Address::Channel(chat) = address {
            receipt::save_ids(transaction, chat, id, *part, message_ids)?;
            receipt::fail_early(transaction, id)?;
        }
        let Some(chat_id) = chat_id else { return Ok(()) };
        let bound = params![chat_id, account.as_str(), at.as_micros()];
        match binding {
            Binding::Replaced => transaction.run(accounts::REBIND, bound),
            Binding::IfUnbound => transaction.run_row(accounts::BIND, bound),
            Binding::Unchanged => Ok(()),
        }
    }
}

pub(super) struct UnsentWrite {
    unsent: PartUnsent,
    failure: Option<String>,
}

impl UnsentWrite {
    pub(super) fn new(unsent: PartUnsent) -> Result<Self, StoreError> {
        let failure = match &unsent.then {
            Then::Requeue { .. } => None,
            Then::Fail(failure) => Some(to_json(TABLE, failure)?),
        };
        Ok(Self { unsent, failure })
    }
}

impl Write for UnsentWrite {
    type Answer = ();
    const POINT: Option<Point> = Some(point::PART_UNSENT);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let PartUnsent { id, part, entry, then, hold, at } = &self.unsent;
        if transaction.execute(sql::PART_WAITS, params![key(id), part])? == 0 {
            return Err(no_such_part(transaction, id, *part));
        }
        let at_micros = at.as_micros();
        let changed = match then {
            Then::Requeue { account } => {
                let account = account.as_ref().map(AccountName::as_str);
                transaction.execute(sql::REQUEUE, params![at_micros, key(id), account])?
            }
            Then::Fail(_) => transaction.execute(sql::FAIL, params![self.failure, at_micros, key(id)])?,
        };
        if changed == 0 {
            return refused(transaction, id, "an attempt cannot end it");
        }
        timeline::add(transaction, id, entry)?;
        if let Then::Fail(failure) = then
            && entry.step != Step::Failed
        {
            let detail = Some(failure.code_and_refusals());
            timeline::add(transaction, id, &timeline::plain(*at, Step::Failed, detail))?;
        }
        if let Then::Fail(failure) = then {
            count_unresolved(transaction, id, failure, *at)?;
            events::changed(transaction, id, *at)?;
        }
        hold.as_ref().map_or(Ok(()), |hold| save_hold(transaction, hold))
    }
}

pub(super) struct DoubtWrite(pub(super) Doubt);

impl Write for DoubtWrite {
    type Answer = ();
    const POINT: Option<Point> = Some(point::DOUBT);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let Doubt { id, entry, counted, at } = &self.0;
        if transaction.execute(sql::DOUBT, params![at.as_micros(), key(id)])? == 0 {
            return match state_of(transaction, id)? {
                MessageState::InDoubt => Ok(()),
                _ => refused(transaction, id, "there is nothing to doubt"),
            };
        }
        events::changed(transaction, id, *at)?;
        timeline::add(transaction, id, entry)?;
        if let Some(account) = entry.account.as_ref().filter(|_| *counted) {
            sent_counts::add(transaction, account, *at)?;
        }
        if entry.step == Step::InDoubt {
            return Ok(());
        }
        timeline::add(transaction, id, &timeline::plain(*at, Step::InDoubt, None))
    }
}

fn part_state(
    transaction: &Transaction<'_>,
    id: &MessageId,
    part: u16,
) -> Result<Option<PartState>, StoreError> {
    transaction.first(sql::PART_STATE, params![key(id), part], |row| {
        Columns::new(row, PARTS).coded(0, "state", codes::part)
    })
}

/// The error for a part that is sent already, or not there.
fn no_such_part(transaction: &Transaction<'_>, id: &MessageId, part: u16) -> StoreError {
    match part_state(transaction, id, part) {
        Ok(Some(state)) => {
            StoreError::conflict(PARTS, format!("part {part} of {id} is {} already", state.as_str()))
        }
        Ok(None) => StoreError::not_found(PARTS, format!("there is no part {part} of {id}")),
        Err(error) => error,
    }
}
