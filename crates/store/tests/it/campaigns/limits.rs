//! The limits of a claim: whole hours are counted where they decide, and the answer is the one that the times of all attempts give.

use std::time::Duration;

use domain::{
    AttemptState, CampaignAttemptId, CampaignRunId, CampaignRunState, CampaignSender, SenderCaps, Timestamp,
    UserId,
};
use proptest::prelude::*;
use store::{AttemptFilter, Claim, Claiming, NewRun, NextTurn, Page, RunChange};
use tokio::runtime::Runtime;

use super::profiles::profile;
use super::{campaign, ended, sender};
use crate::support::World;

const DAY: Duration = Duration::from_hours(24);
const MOST_STEPS: usize = 60;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// A sender asks for its next chat so many minutes later, or earlier where the clock was set back. Its attempt ends like that after
    /// so many minutes more, or stays open.
    Claim { who: usize, later: i64, takes: i64, end: Option<AttemptState> },
    /// The store comes from a backup: what was open may have been sent.
    Restored,
}

fn step() -> impl Strategy<Value = Step> {
    let later = prop_oneof![6 => 0..90_i64, 1 => 90..900_i64, 1 => -120..0_i64];
    let end = prop_oneof![
        5 => Just(Some(AttemptState::Sent)),
        2 => Just(Some(AttemptState::Unknown)),
        1 => Just(Some(AttemptState::Failed)),
        1 => Just(Some(AttemptState::Skipped)),
        1 => Just(None),
    ];
    let claim = (0..3_usize, later, 0..30_i64, end).prop_map(|(who, later, takes, end)| Step::Claim {
        who,
        later,
        takes,
        end,
    });
    prop_oneof![20 => claim, 1 => Just(Step::Restored)]
}

fn minutes_after(at: Timestamp, minutes: i64) -> Timestamp {
    Timestamp::from_micros(at.as_micros() + minutes * 60_000_000)
}

/// An account, the profile of the same person, and another account do these steps.
async fn limited_as_times_say(world: World, steps: Vec<Step>, caps: SenderCaps) {
    let chats: Vec<_> = (0..MOST_STEPS).map(|number| format!("@client_{number}")).collect();
    campaign(&world, "spring", &chats.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let campaigns = world.store.campaigns();
    let name = profile(&world, None).await;
    campaigns.saw_profile(&name, 7).await.unwrap();
    let senders = [sender("main"), CampaignSender::Profile(name), sender("fifth")];
    let mut now = world.now();
    let id = CampaignRunId::from_uuid(world.ids.next());
    let starts_at = now.minus(DAY * 30);
    let new = NewRun { id, campaign: "spring".to_owned(), cycles: 1, canary: None, now, starts_at };
    let run = campaigns.begin(new).await.unwrap();
    for step in steps {
        let Step::Claim { who, later, takes, end } = step else {
            world.store.hold_back(now).await.unwrap();
            let wish = RunChange { state: CampaignRunState::Running, reason: None, canary: None, now };
            campaigns.change_run(run.id, wish).await.unwrap().unwrap();
            continue;
        };
        now = minutes_after(now, later);
        let page = Page { limit: 100, cursor: None };
        let mut counted = campaigns.attempts(run.id, AttemptFilter::default(), &page).await.unwrap().items;
        counted.retain(|row| (row.sender == senders[2]) == (who == 2));
        let open = counted.iter().filter(|row| row.state == AttemptState::Claimed).count();
        counted.retain(|row| row.state.may_be_sent());
        let times = counted.iter().filter_map(|row| row.ended_at).filter(|at| *at > now.minus(DAY)).collect();
        let expected = caps.free_at(times, open, now);
        let claiming = Claiming {
            run: run.id,
            sender: senders[who].clone(),
            id: CampaignAttemptId::from_uuid(world.ids.next()),
            caps,
            person: UserId::new(7).filter(|_| who < 2),
            counted_with: if who == 1 { vec![senders[0].clone()] } else { Vec::new() },
            between_cycles: Duration::ZERO,
            now,
        };
        match campaigns.claim(claiming).await.unwrap() {
            Claim::Limited(at) => assert_eq!(Some(at), expected),
            Claim::Task(attempt) => {
                assert_eq!(expected, None, "{counted:?} at {now}");
                now = minutes_after(now, takes);
                if let Some(state) = end {
                    campaigns.end(ended(&attempt, state, NextTurn::NextCycle, now)).await.unwrap();
                }
            }
            other => panic!("{other:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn a_claim_is_limited_as_the_times_of_attempts_say(
        steps in prop::collection::vec(step(), 1..MOST_STEPS),
        hour in 1_u32..6,
        day in 1_u32..20,
        on_postgres in prop::bool::weighted(0.2),
    ) {
        Runtime::new().unwrap().block_on(async {
            limited_as_times_say(World::fresh_on(on_postgres).await, steps, SenderCaps { hour, day }).await;
        });
    }
}
