//! What a control bot says of runs: how many there were and how fast, and the last ones. Pure.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use domain::{FlowRunState, FlowStage, Timestamp};
use flows::{FlowView, TimedStage, stage_times};
use store::StoredFlowRun;

use crate::words::Language;

/// How far back `/stats` looks.
pub(crate) const PERIOD: Duration = Duration::from_hours(24);
/// The runs that `/stats` counts at most, the latest ones.
pub(crate) const MOST_COUNTED: usize = 2_000;
/// The runs that `/log` shows.
pub(crate) const MOST_SHOWN: usize = 10;

/// The runs of the period, flow by flow, those with the most runs first.
pub(crate) fn stats(
    flows: &[FlowView],
    runs: &[StoredFlowRun],
    now: Timestamp,
    language: Language,
) -> String {
    let mut by_flow = BTreeMap::<&str, Vec<&StoredFlowRun>>::new();
    for run in runs.iter().filter(|run| run.began_at >= now.minus(PERIOD)) {
        by_flow.entry(&run.flow).or_default().push(run);
    }
    let mut counted: Vec<_> = by_flow.into_iter().collect();
    counted.sort_by_key(|(_, runs)| std::cmp::Reverse(runs.len()));
    let mut text = language.say("The last 24 hours", "Последние 24 часа").to_owned();
    if runs.len() >= MOST_COUNTED {
        let _ = write!(text, " ({} {MOST_COUNTED})", language.say("the latest", "последние"));
    }
    if counted.is_empty() {
        let _ = write!(text, "\n{}", language.no_runs());
    }
    for (flow, runs) in &counted {
        let _ = write!(text, "\n\n{}", of_flow(flow, runs, language));
    }
    for flow in flows {
        for on in flow.on.iter().filter(|on| !on.skipped.is_empty()) {
            let _ = write!(
                text,
                "\n{} – {}: {}",
                flow.name,
                on.account,
                language.say("offers that began no run", "пропущено предложений")
            );
            for (why, times) in &on.skipped {
                let _ = write!(text, ", {why} {times}");
            }
        }
    }
    text
}

fn of_flow(flow: &str, runs: &[&StoredFlowRun], language: Language) -> String {
    let presses: usize = runs.iter().map(|run| presses(run)).sum();
    let begun = runs.iter().filter(|run| run.state != FlowRunState::Skipped).count();
    let mut text = format!(
        "{flow}: {} {}, {} {presses}",
        language.say("runs", "запусков"),
        begun,
        language.say("presses", "нажатий")
    );
    let mut ends = BTreeMap::<String, usize>::new();
    for run in runs {
        *ends.entry(end(run, language)).or_default() += 1;
    }
    let ends: Vec<_> = ends.into_iter().map(|(end, count)| format!("{end} {count}")).collect();
    let _ = write!(text, "\n  {}", ends.join(", "));
    for times in stage_times(runs.iter().map(|run| run.moments.as_slice())) {
        let stage = match times.stage {
            TimedStage::Match => language.say("match", "распознавание"),
            TimedStage::Press => language.say("first press", "первое нажатие"),
            TimedStage::Answer => language.say("answer to a press", "ответ на нажатие"),
            TimedStage::Expect => language.say("expected text", "ожидаемый текст"),
            TimedStage::Run => language.say("whole run", "весь запуск"),
        };
        let _ = write!(
            text,
            "\n  {stage}: p50 {}, p99 {}",
            milliseconds(times.p50, language),
            milliseconds(times.p99, language)
        );
    }
    text
}

/// The last runs, the latest first.
pub(crate) fn log(runs: &[StoredFlowRun], language: Language) -> String {
    if runs.is_empty() {
        return language.no_runs().to_owned();
    }
    let line = |run: &StoredFlowRun| {
        let mut line = format!(
            "{} {} – {}: {}, {} {}",
            run.began_at.to_the_second(),
            run.flow,
            run.account,
            end(run, language),
            language.say("presses", "нажатий"),
            presses(run)
        );
        if let Some(last) = run.moments.last().filter(|_| run.state != FlowRunState::Running) {
            let _ = write!(line, ", {}", milliseconds(last.at_us, language));
        }
        line
    };
    runs.iter().take(MOST_SHOWN).map(line).collect::<Vec<_>>().join("\n")
}

/// How a run ended, and why where it did not come to its end.
fn end(run: &StoredFlowRun, language: Language) -> String {
    let state = language.run(run.state);
    run.code.as_ref().map_or_else(|| state.to_owned(), |code| format!("{state} ({code})"))
}

fn presses(run: &StoredFlowRun) -> usize {
    run.moments.iter().filter(|moment| moment.stage == FlowStage::Pressed).count()
}

fn milliseconds(micros: u64, language: Language) -> String {
    format!("{}.{} {}", micros / 1_000, micros % 1_000 / 100, language.say("ms", "мс"))
}

#[cfg(test)]
pub(crate) mod tests {
    use domain::{ChatId, FlowMoment, FlowRunId, TelegramMessageId};

    use super::*;

    /// A run of the beginning of time.
    pub(crate) fn run(flow: &str) -> StoredFlowRun {
        run_at(flow, Timestamp::from_micros(0), FlowRunState::Failed, Some("no_button"))
    }

    fn run_at(flow: &str, began_at: Timestamp, state: FlowRunState, code: Option<&str>) -> StoredFlowRun {
        let moment = |at_us, stage, step| FlowMoment { at_us, stage, step, note: None };
        StoredFlowRun {
            id: FlowRunId::MIN,
            flow: flow.to_owned(),
            account: "main".parse().unwrap(),
            chat_id: ChatId::user(7).unwrap(),
            message_id: TelegramMessageId::new(5).unwrap(),
            began_at,
            ended_at: Some(began_at),
            state,
            code: code.map(str::to_owned),
            step: 1,
            moments: vec![
                moment(0, FlowStage::Seen, None),
                moment(450, FlowStage::Pressed, Some(1)),
                moment(40_450, FlowStage::Answered, Some(1)),
                moment(41_000, FlowStage::Ended, None),
            ],
        }
    }

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn runs_of_a_day_are_counted_with_their_ends_and_times() {
        let now = time("2030-01-06T12:00:00Z");
        let runs = [
            run_at("trip", time("2030-01-06T11:59:00Z"), FlowRunState::Done, None),
            run_at("ride", time("2030-01-06T11:58:00Z"), FlowRunState::Cut, Some("program_ended")),
            run_at("trip", time("2030-01-05T12:01:00Z"), FlowRunState::Failed, Some("no_button")),
            run_at("trip", time("2030-01-05T11:59:00Z"), FlowRunState::Done, None),
        ];
        let text = stats(&[], &runs, now, Language::English);
        assert_eq!(
            text,
            "The last 24 hours\n\n\
             trip: runs 2, presses 2\n  done 1, failed (no_button) 1\n  first press: p50 0.4 ms, p99 0.4 ms\n  \
             answer to a press: p50 40.0 ms, p99 40.0 ms\n  whole run: p50 41.0 ms, p99 41.0 ms\n\n\
             ride: runs 1, presses 1\n  cut (program_ended) 1\n  first press: p50 0.4 ms, p99 0.4 ms\n  \
             answer to a press: p50 40.0 ms, p99 40.0 ms\n  whole run: p50 41.0 ms, p99 41.0 ms"
        );
        let skipped = run_at("trip", time("2030-01-06T11:59:30Z"), FlowRunState::Skipped, Some("busy"));
        let text = stats(&[], &[skipped], now, Language::English);
        assert!(text.contains("trip: runs 0, presses 1\n  skipped (busy) 1"), "{text}");
        assert!(stats(&[], &runs, now, Language::Russian).contains("не удался (no_button) 1"));
        assert!(stats(&[], &[], now, Language::English).contains("There were no runs."));
    }

    #[test]
    fn the_last_ten_runs_are_lines_with_time_and_result() {
        let one = run_at("trip", time("2030-01-06T11:59:00Z"), FlowRunState::Failed, Some("no_button"));
        let text = log(&vec![one; 12], Language::English);
        assert_eq!(text.lines().count(), 10);
        assert_eq!(
            text.lines().next(),
            Some("2030-01-06T11:59:00Z trip – main: failed (no_button), presses 1, 41.0 ms")
        );
        assert_eq!(log(&[], Language::Russian), "Запусков не было.");
    }
}
