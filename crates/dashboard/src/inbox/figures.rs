//! `/inbox-figures`: conversations day by day, as charts and as a table.

use std::time::Duration;

use api::{InboxDay, InboxFigures};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::Method;

use crate::dashboard::Dashboard;
use crate::listing::address;
use crate::page::{self, refusal};
use crate::view::Section;
use crate::visitor::Visitor;
use crate::words::{self, ChannelsWords, InboxWords};

const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 40.0;

/// A bar of a chart.
#[derive(Debug, Clone, PartialEq)]
struct Bar {
    x: String,
    y: String,
    width: String,
    height: String,
    says: String,
}

/// A chart: a bar for each day.
struct Chart {
    title: String,
    /// The figure of all days.
    total: String,
    bars: Vec<Bar>,
}

#[derive(Template)]
#[template(path = "inbox/figures.html")]
struct Figures<'a> {
    words: &'static InboxWords,
    charts: Vec<Chart>,
    found: &'a InboxFigures,
    visitor: &'a Visitor,
}

impl Figures<'_> {
    /// The first and the last day, below each chart.
    fn ends(&self) -> [&str; 2] {
        let days = &self.found.days;
        [days.first(), days.last()].map(|day| day.map_or("", |day| day.day.as_str()))
    }

    fn opened(day: &InboxDay) -> u64 {
        day.opened.values().sum()
    }

    fn span(&self, seconds: Option<u64>) -> String {
        span(self.visitor, seconds)
    }

    fn share(day: &InboxDay) -> String {
        share(day).map(|share| format!("{share}%")).unwrap_or_default()
    }
}

fn span(visitor: &Visitor, seconds: Option<u64>) -> String {
    let span = |seconds| words::number::span(visitor.language, Duration::from_secs(seconds));
    seconds.map(span).unwrap_or_default()
}

/// Of a hundred that were answered, how many a model answered first.
fn share(day: &InboxDay) -> Option<u64> {
    (day.by_ai * 100).checked_div(day.answered)
}

/// The bars of values; what is there is never shown as nothing.
#[expect(clippy::cast_precision_loss, reason = "a drawing of 600 by 40")]
fn bars(values: &[(u64, String)]) -> Vec<Bar> {
    let most = values.iter().map(|(value, _)| *value).max().unwrap_or(0).max(1) as f64;
    let step = WIDTH / values.len().max(1) as f64;
    let number = |value: f64| format!("{value:.1}");
    let bar = |(place, (value, says)): (usize, &(u64, String))| {
        let height = (*value as f64 / most * HEIGHT).max(1.5);
        Bar {
            x: number(place as f64 * step),
            y: number(HEIGHT - height),
            width: number((step - 2.0).max(0.8)),
            height: number(height),
            says: says.clone(),
        }
    };
    values.iter().enumerate().filter(|(_, (value, _))| *value > 0).map(bar).collect()
}

pub(crate) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    let offset = visitor.zone.minutes().to_string();
    let path = address("/v1/inbox/figures", &[("utc_offset", &offset)]);
    let figures = match dashboard.ask::<InboxFigures>(&visitor, Method::GET, &path, None).await {
        Ok(figures) => figures,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let words = InboxWords::of(visitor.language);
    let charts = charts(&figures, &visitor);
    let body = Figures { words, charts, found: &figures, visitor: &visitor };
    page::page(&visitor, words.figures, Section::Inbox, body)
}

fn charts(figures: &InboxFigures, visitor: &Visitor) -> Vec<Chart> {
    let (words, channels) = (InboxWords::of(visitor.language), ChannelsWords::of(visitor.language));
    let (days, total) = (&figures.days, &figures.total);
    let chart = |title: String, total: String, of: &dyn Fn(&InboxDay) -> (u64, String)| {
        let value = |day: &InboxDay| {
            let (value, says) = of(day);
            (value, format!("{}: {says}", day.day))
        };
        Chart { title, total, bars: bars(&days.iter().map(value).collect::<Vec<_>>()) }
    };
    let count = |number: u64| (number, words::number::thousands(number));
    let sum = |day: &InboxDay| day.opened.values().sum::<u64>();
    let title = |name: &str| format!("{}: {name}", words.a_day_opened);
    let mut charts = vec![chart(title(words.all_channels), count(sum(total)).1, &|day| count(sum(day)))];
    for (channel, opened) in total.opened.iter().filter(|_| total.opened.len() > 1) {
        let of = |day: &InboxDay| count(day.opened.get(channel).copied().unwrap_or_default());
        charts.push(chart(title(channels.title(channel)), count(*opened).1, &of));
    }
    let within = |day: &InboxDay| (day.half_within.unwrap_or_default(), span(visitor, day.half_within));
    charts.push(chart(words.half_within.to_owned(), within(total).1, &within));
    let next = |day: &InboxDay| (day.next_within.unwrap_or_default(), span(visitor, day.next_within));
    charts.push(chart(words.next_within.to_owned(), next(total).1, &next));
    let by_ai = |day: &InboxDay| (share(day).unwrap_or_default(), Figures::share(day));
    charts.push(chart(words.by_ai.to_owned(), by_ai(total).1, &by_ai));
    charts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_bar_is_the_most_and_nothing_has_none() {
        let bars = bars(&[(0, String::new()), (5, "five".into()), (10, "ten".into())]);
        let shown: Vec<_> =
            bars.iter().map(|bar| (bar.x.as_str(), bar.height.as_str(), bar.says.as_str())).collect();
        assert_eq!(shown, [("200.0", "20.0", "five"), ("400.0", "40.0", "ten")]);
        let day = InboxDay { answered: 3, by_ai: 1, ..InboxDay::default() };
        assert_eq!((share(&day), share(&InboxDay::default())), (Some(33), None));
    }
}
