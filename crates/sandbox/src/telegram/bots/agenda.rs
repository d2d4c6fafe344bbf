//! What bots do later: a list by time, and the task that works it off.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use grammers_tl_types::{enums, types};
use tokio_util::sync::CancellationToken;

use super::orders::{Deed, Storm, Words};
use super::rules::unnumbered;
use super::{keyboard, reply_keyboard};
use crate::telegram::message::Body;
use crate::telegram::orders::OutsideError;
use crate::telegram::peer::Peer;
use crate::telegram::posting::Draft;
use crate::telegram::state::{Moment, State};
use crate::telegram::world::{Telegram, now};

/// How many chains of deeds wait at most.
const BOUND: usize = 10_000;
/// The task looks again after this long in any case.
const AT_MOST: Duration = Duration::from_mins(1);

/// Where a bot acts: in one chat, and on one message in one numbering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scene {
    pub(super) bot: i64,
    /// Whose numbering the message is in; of a private chat, with whom.
    pub(super) owner: i64,
    /// The chat as that one sees it.
    pub(super) peer: Peer,
    pub(super) message: Option<i32>,
}

/// Deeds that follow each other.
#[derive(Debug)]
struct Chain {
    due: i64,
    number: u64,
    scene: Scene,
    deeds: VecDeque<Deed>,
}

impl PartialEq for Chain {
    fn eq(&self, other: &Self) -> bool {
        (self.due, self.number) == (other.due, other.number)
    }
}

impl Eq for Chain {}

impl PartialOrd for Chain {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Chain {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.number).cmp(&(other.due, other.number))
    }
}

#[derive(Debug, Default)]
pub(super) struct Agenda {
    chains: BinaryHeap<Reverse<Chain>>,
    number: u64,
}

impl Agenda {
    fn put(&mut self, due: i64, scene: Scene, deeds: VecDeque<Deed>) -> bool {
        if self.chains.len() == BOUND {
            return false;
        }
        self.number += 1;
        self.chains.push(Reverse(Chain { due, number: self.number, scene, deeds }));
        true
    }

    fn take_due(&mut self, at: i64) -> Option<Chain> {
        let due = self.chains.peek().is_some_and(|Reverse(chain)| chain.due <= at);
        due.then(|| self.chains.pop()).flatten().map(|Reverse(chain)| chain)
    }
}

fn millis(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(1_000)
}

impl State {
    /// Does what is due at once, and puts the rest on the agenda. Returns the scene after that.
    pub(super) fn act(&mut self, scene: Scene, deeds: impl Into<VecDeque<Deed>>, at: Moment) -> Scene {
        let mut scene = scene;
        let mut deeds = deeds.into();
        while deeds.front().is_some_and(|deed| deed.after_ms == 0) {
            let Some(deed) = deeds.pop_front() else { break };
            let (next, again) = self.do_one(scene, &deed, at);
            scene = next;
            if let Some(again) = again {
                deeds.push_front(again);
            }
        }
        self.act_later(scene, deeds, at);
        scene
    }

    /// Puts all of it on the agenda.
    pub(super) fn act_later(&mut self, scene: Scene, deeds: VecDeque<Deed>, at: Moment) {
        let Some(first) = deeds.front() else { return };
        let due = at.0.saturating_add(millis(first.after_ms));
        if !self.bots.agenda.put(due, scene, deeds) {
            tracing::warn!("a bot has too much to do: deeds are left out");
        }
        self.bots.woken.notify_one();
    }

    /// Does one thing; what is returned beside the scene is to be done next.
    fn do_one(&mut self, scene: Scene, deed: &Deed, at: Moment) -> (Scene, Option<Deed>) {
        if let Some(words) = &deed.send {
            let message = self.bot_sends(scene, words, at).unwrap_or_default();
            return (Scene { message, ..scene }, None);
        }
        let Some(id) = scene.message else { return (scene, None) };
        if let Some(words) = &deed.edit
            && let Ok(markup) = keyboard(&words.buttons)
        {
            self.bot_edits(scene, id, Some(&words.text), markup, at);
        }
        if deed.delete {
            self.delete_everywhere(scene.owner, scene.peer, id, at);
        }
        let Some(storm) = deed.storm else { return (scene, None) };
        let old = self.stored(scene.owner, scene.peer, id).and_then(|stored| stored.body.markup.clone());
        let Some(old) = old else { return (scene, None) };
        let storm = Storm { done: storm.done + 1, ..storm };
        self.bot_edits(scene, id, None, Some(Arc::new(turned(&old, storm.done))), at);
        let again = storm.done < storm.per_second * storm.seconds;
        let after_ms = u64::from(1_000 / storm.per_second.max(1));
        (scene, again.then(|| Deed { after_ms, storm: Some(storm), ..Deed::default() }))
    }

    fn bot_sends(&mut self, scene: Scene, words: &Words, at: Moment) -> Result<Option<i32>, OutsideError> {
        let markup = match keyboard(&words.buttons)? {
            Some(markup) => Some(markup),
            None => reply_keyboard(&words.keyboard)?,
        };
        let body = Body { text: words.text.as_str().into(), markup, ..Body::default() };
        let draft = Draft { body, reply_to: None, silent: false };
        let to = match scene.peer {
            Peer::User(_) => Peer::User(scene.owner),
            other => other,
        };
        self.may_write(scene.bot, to)?;
        let posted = self.post(scene.bot, to, &draft, at, None);
        Ok(match scene.peer {
            Peer::Channel(_) => posted.own.map(|sent| sent.id),
            peer => self.copy_of(scene.owner, peer, posted.origin),
        })
    }

    fn bot_edits(
        &mut self,
        scene: Scene,
        id: i32,
        text: Option<&str>,
        markup: Option<Arc<enums::ReplyMarkup>>,
        at: Moment,
    ) {
        let Some(stored) = self.stored(scene.owner, scene.peer, id) else { return };
        let old = stored.body.clone();
        let text = text.map_or_else(|| Arc::clone(&old.text), Into::into);
        let body = Body { text, entities: None, markup, ..old };
        self.edit(scene.owner, scene.peer, id, &body, at, None);
    }

    /// Does all that is due; returns how long nothing else is.
    fn work_off(&mut self, at: Moment) -> Duration {
        while let Some(chain) = self.bots.agenda.take_due(at.0) {
            let Chain { due, scene, mut deeds, .. } = chain;
            if let Some(first) = deeds.front_mut() {
                first.after_ms = 0;
            }
            // By the time it was due, so that a storm keeps its pace.
            self.act(scene, deeds, Moment(due.max(at.0 - 100_000)));
        }
        let Some(Reverse(next)) = self.bots.agenda.chains.peek() else { return AT_MOST };
        Duration::from_micros(u64::try_from(next.due - at.0).unwrap_or(0)).min(AT_MOST)
    }
}

impl Telegram {
    /// Does what bots have to do, until the token is cancelled.
    pub(crate) async fn keep_agenda(self: Arc<Self>, stop: CancellationToken) {
        let woken = Arc::clone(&self.lock().bots.woken);
        loop {
            let wait = self.lock().work_off(now());
            tokio::select! {
                () = stop.cancelled() => return,
                () = woken.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}

/// The same keyboard with every button one place further, another number in its text and in its data.
fn turned(markup: &enums::ReplyMarkup, number: u32) -> enums::ReplyMarkup {
    let enums::ReplyMarkup::ReplyInlineMarkup(markup) = markup else { return markup.clone() };
    let mut rows = markup.rows.clone();
    let mut buttons: VecDeque<enums::KeyboardInlineButton> = VecDeque::new();
    for enums::KeyboardInlineButtonRow::Row(row) in &rows {
        buttons.extend(row.buttons.iter().cloned());
    }
    buttons.rotate_right(1.min(buttons.len()));
    for enums::KeyboardInlineButtonRow::Row(row) in &mut rows {
        for place in &mut row.buttons {
            let Some(enums::KeyboardInlineButton::Button(mut button)) = buttons.pop_front() else { continue };
            button.text = format!("{} #{number}", unnumbered(&button.text).trim_end());
            if let enums::InlineButtonType::Callback(types::InlineButtonTypeCallback { data, .. }) =
                &mut button.r#type
                && let Ok(text) = str::from_utf8(data)
            {
                *data = format!("{}#{number}", unnumbered(text)).into_bytes();
            }
            *place = button.into();
        }
    }
    types::ReplyInlineMarkup { force_reply: markup.force_reply, rows }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telegram::bots::keyboards::callbacks;
    use crate::telegram::orders::Button;

    #[test]
    fn a_rotated_keyboard_has_the_same_buttons() {
        let button = |text: &str| Button {
            text: text.to_owned(),
            data: Some(text.to_lowercase()),
            ..Button::default()
        };
        let markup = keyboard(&[vec![button("A"), button("B")], vec![button("C")]]).unwrap().unwrap();
        let labels = |markup: &enums::ReplyMarkup| {
            let all = callbacks(Some(markup));
            all.map(|it| format!("{} {}", it.text, String::from_utf8_lossy(it.data))).collect::<Vec<_>>()
        };
        let once = turned(&markup, 1);
        assert_eq!(labels(&once), ["C #1 c#1", "A #1 a#1", "B #1 b#1"]);
        assert_eq!(labels(&turned(&once, 2)), ["B #2 b#2", "C #2 c#2", "A #2 a#2"]);
    }

    #[test]
    fn the_agenda_is_in_the_order_of_time_and_bounded() {
        let mut agenda = Agenda::default();
        let scene = Scene { bot: 1, owner: 2, peer: Peer::User(1), message: None };
        for due in [30, 10, 20, 10] {
            assert!(agenda.put(due, scene, VecDeque::new()));
        }
        assert!(agenda.take_due(9).is_none());
        let order: Vec<_> =
            std::iter::from_fn(|| agenda.take_due(100)).map(|it| (it.due, it.number)).collect();
        assert_eq!(order, [(10, 2), (10, 4), (20, 3), (30, 1)]);
        for _ in 0..BOUND {
            assert!(agenda.put(1, scene, VecDeque::new()));
        }
        assert!(!agenda.put(1, scene, VecDeque::new()));
    }

    #[test]
    fn a_storm_keeps_its_pace_and_ends() {
        use crate::telegram::files::Files;
        use crate::telegram::identities::Seed;

        let files = Files::new(std::path::PathBuf::new(), 0);
        let mut state = State::new(Seed(1), Vec::new(), files);
        crate::telegram::demo::populate(&mut state, 1, 0, Moment(1_700_000_000_000_000));
        let (owner, bot) = (state.accounts()[0].user_id, 5_500_000_001);
        let words = serde_json::json!({"text": "Well?", "buttons": [[{"text": "Yes", "data": "yes"}]]});
        let then: Vec<Deed> = serde_json::from_value(serde_json::json!([
            {"send": words}, {"after_ms": 1_000, "storm": {"per_second": 15, "seconds": 2}},
        ]))
        .unwrap();
        let scene = Scene { bot, owner, peer: Peer::User(bot), message: None };
        let begun = 1_700_000_000_000_000;
        let scene = state.act(scene, then, Moment(begun));
        let id = scene.message.unwrap();
        let shown = |state: &State| {
            let stored = state.stored(owner, scene.peer, id).unwrap();
            callbacks(stored.body.markup.as_deref()).map(|it| it.text.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(shown(&state), ["Yes"]);
        let mut at = begun;
        for _ in 0..31 {
            at += i64::try_from(state.work_off(Moment(at)).as_micros()).unwrap();
        }
        assert_eq!(
            (shown(&state), at),
            (vec!["Yes #30".to_owned()], begun + 1_000_000 + 29 * 66_000 + 60_000_000)
        );
    }
}
