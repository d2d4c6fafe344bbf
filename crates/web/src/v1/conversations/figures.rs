//! Conversations in figures: how many there were a day, how soon they were answered, and who answered.

use std::collections::BTreeMap;
use std::time::Duration;

use api::{InboxDay, InboxFigures};
use axum::extract::State as Shared;
use axum::response::Response;
use domain::{Author, Timestamp};
use http::StatusCode;
use store::OpenedAppeal;
use utoipa::IntoParams;

use crate::answer::json;
use crate::auth::{Authorized, CanReadInbox};
use crate::extract::QueryParameters;
use crate::problem::Problem;
use crate::state::State;

/// The days that are shown if the caller does not say.
const DAYS: i64 = 30;
const MOST_DAYS: i64 = 366;
/// The farthest offset from UTC, in minutes.
const FARTHEST: i64 = 14 * 60;
const DAY: i64 = 86_400_000_000;

/// Which days.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct FigureParameters {
    /// How many days, up to today; 1 to 366.
    #[param(minimum = 1, maximum = 366, example = 30)]
    days: Option<i64>,
    /// The minutes by which the days begin before those of UTC: 180 for Moscow.
    #[param(minimum = -840, maximum = 840, example = 180)]
    utc_offset: Option<i64>,
}

/// Shows conversations in figures, day by day: those that were opened, in which channel, how soon they were answered first and later, and
/// how many of them by a model.
#[utoipa::path(
    get, path = "/v1/inbox/figures", tag = "conversations", operation_id = "get_inbox_figures",
    params(FigureParameters),
    responses((status = 200, description = "The figures", body = InboxFigures))
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    _: Authorized<CanReadInbox>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let days = query.take_with("days", |text| within(text, 1..=MOST_DAYS)).unwrap_or(DAYS);
    let offset = query.take_with("utc_offset", |text| within(text, -FARTHEST..=FARTHEST)).unwrap_or(0);
    query.finish()?;
    let shift = offset * 60_000_000;
    let last = (state.clock().now().as_micros() + shift).div_euclid(DAY);
    let first = last - days + 1;
    let instant = |day: i64| Timestamp::from_micros(day * DAY - shift);
    let opened = state.store().pipeline().opened(instant(first), instant(last + 1)).await?;
    Ok(json(StatusCode::OK, &of(&opened, first..=last, shift)))
}

fn within(text: &str, range: std::ops::RangeInclusive<i64>) -> Result<i64, String> {
    let number = text.trim().parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| format!("is a whole number from {} to {}", range.start(), range.end()))
}

/// The figures of days, which are numbered from 1970 on and begin so many microseconds before those of UTC.
fn of(opened: &[OpenedAppeal], days: std::ops::RangeInclusive<i64>, shift: i64) -> InboxFigures {
    let mut by_day: BTreeMap<i64, Vec<&OpenedAppeal>> = days.map(|day| (day, Vec::new())).collect();
    for appeal in opened {
        let day = (appeal.opened_at.as_micros() + shift).div_euclid(DAY);
        by_day.entry(day).or_default().push(appeal);
    }
    let name = |day: i64| Timestamp::from_micros(day * DAY).to_string().chars().take(10).collect();
    let days = by_day.iter().map(|(day, appeals)| InboxDay { day: name(*day), ..sum(appeals) }).collect();
    InboxFigures { days, total: sum(&opened.iter().collect::<Vec<_>>()) }
}

fn sum(appeals: &[&OpenedAppeal]) -> InboxDay {
    let mut sum = InboxDay::default();
    let mut waits: Vec<Duration> = Vec::new();
    let mut next_wait = Duration::ZERO;
    for appeal in appeals {
        *sum.opened.entry(appeal.channel.to_string()).or_default() += 1;
        sum.answered += u64::from(appeal.first_answer_at.is_some());
        waits.extend(appeal.first_wait);
        sum.next_answers += appeal.next_answers;
        next_wait = next_wait.saturating_add(appeal.next_wait);
        sum.by_ai += u64::from(appeal.first_author == Some(Author::Ai));
    }
    waits.sort_unstable();
    let within = |tenths: usize| {
        let place = (waits.len() * tenths).div_ceil(10).max(1) - 1;
        waits.get(place).map(Duration::as_secs)
    };
    (sum.half_within, sum.most_within) = (within(5), within(9));
    sum.next_within = next_wait.as_secs().checked_div(sum.next_answers);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_conversations_and_times_of_answers() {
        let appeal = |hour: i64, answered: Option<i64>, author| OpenedAppeal {
            channel: "avito".parse().expect("a channel"),
            opened_at: Timestamp::from_micros(hour * 3_600_000_000),
            first_answer_at: answered.map(|s| Timestamp::from_micros(hour * 3_600_000_000 + s * 1_000_000)),
            first_author: author,
            first_wait: answered.and_then(|s| u64::try_from(s).ok()).map(Duration::from_secs),
            next_answers: 0,
            next_wait: Duration::ZERO,
        };
        let opened = [
            appeal(1, Some(10), Some(Author::Ai)),
            appeal(20, Some(60), Some(Author::Agent)),
            appeal(22, None, None),
            OpenedAppeal {
                next_answers: 3,
                next_wait: Duration::from_mins(2),
                ..appeal(23, Some(30), Some(Author::Ai))
            },
        ];
        // Three hours east the last two are of the next day.
        let figures = of(&opened, 0..=2, 3 * 3_600_000_000);
        let days: Vec<_> =
            figures.days.iter().map(|day| (day.day.as_str(), day.opened.get("avito"))).collect();
        assert_eq!(days, [("1970-01-01", Some(&2)), ("1970-01-02", Some(&2)), ("1970-01-03", None)]);
        let total = &figures.total;
        assert_eq!((total.answered, total.by_ai), (3, 2));
        assert_eq!((total.half_within, total.most_within), (Some(30), Some(60)));
        assert_eq!((figures.days[2].half_within, figures.days[0].half_within), (None, Some(10)));
        assert_eq!((total.next_answers, total.next_within), (3, Some(40)));
        assert_eq!((figures.days[0].next_answers, figures.days[0].next_within), (0, None));
    }

    #[test]
    fn conversations_begun_by_a_person_have_no_answer_time() {
        let begun = |at: i64, answered: Option<i64>, first_wait| OpenedAppeal {
            channel: "whatsapp".parse().expect("a channel"),
            opened_at: Timestamp::from_micros(at),
            first_answer_at: answered.map(Timestamp::from_micros),
            first_author: answered.map(|_| Author::Agent),
            first_wait,
            next_answers: 0,
            next_wait: Duration::ZERO,
        };
        let nothing = of(&[begun(0, None, None)], 0..=0, 0).total;
        assert_eq!((nothing.answered, nothing.half_within), (0, None));
        // The client wrote an hour later and was answered after a minute.
        let minute = Some(Duration::from_mins(1));
        let later = of(&[begun(0, None, None), begun(0, Some(3_660_000_000), minute)], 0..=0, 0).total;
        assert_eq!((later.answered, later.half_within, later.most_within), (1, Some(60), Some(60)));
    }
}
