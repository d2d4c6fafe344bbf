//! One frame: the overview as lines that fit the terminal. Pure.

use serde_json::Value;

/// How large the terminal is, in letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// Whether colours may be used. They never say anything alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Colours,
}

/// Heights of a bar, from nothing to full.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// How many hours of sends are shown.
const HOURS: usize = 12;

/// Columns: heading, width, and whether its numbers are at the right.
const COLUMNS: [(&str, usize, bool); 7] = [
    ("CARD", 26, false),
    ("STATE", 13, false),
    ("QUEUE", 6, true),
    ("ERRORS", 7, true),
    ("ANSWER", 8, true),
    ("SENT/H", HOURS, false),
    ("WHY", 0, false),
];

/// Draws the overview: the verdict, the facts, then the cards as far as they fit.
pub(super) fn draw(overview: &Value, size: Size, paint: Paint) -> Vec<String> {
    let mut lines = vec![fit(&verdict(overview), size.columns), fit(&facts(overview), size.columns)];
    if let Some(clearing) = clearing(overview) {
        lines.push(fit(&clearing, size.columns));
    }
    lines.push(String::new());
    lines.push(fit(&heading(), size.columns));
    let cards: Vec<&Value> = overview["items"].as_array().into_iter().flatten().collect();
    let room = size.rows.saturating_sub(lines.len() + 1);
    for card in cards.iter().take(room) {
        lines.push(paint_row(
            &fit(&row(card), size.columns),
            card["lamp"].as_str().unwrap_or_default(),
            paint,
        ));
    }
    let matching = overview["matching"].as_u64().unwrap_or(0);
    let hidden = matching.saturating_sub(cards.len().min(room) as u64);
    if hidden > 0 {
        lines.push(fit(&format!("… and {hidden} more"), size.columns));
    }
    lines.truncate(size.rows.max(1));
    lines
}

fn number(value: &Value, field: &str) -> u64 {
    value[field].as_u64().unwrap_or(0)
}

/// A number of a card; a dash where it is not counted.
fn counted(card: &Value, field: &str) -> String {
    card[field].as_u64().map_or_else(|| "–".to_owned(), |number| number.to_string())
}

fn verdict(overview: &Value) -> String {
    let all = |lamp: &str| -> u64 {
        overview["counts"].as_array().into_iter().flatten().map(|kind| number(kind, lamp)).sum()
    };
    let (trouble, waiting) = (all("trouble"), all("waiting"));
    let cards = trouble + waiting + all("busy") + all("off") + all("good");
    let needs = match trouble {
        0 => format!("All {cards} work"),
        1 => format!("1 of {cards} needs you"),
        more => format!("{more} of {cards} need you"),
    };
    let waits = if waiting > 0 { format!(", {waiting} wait") } else { String::new() };
    let version = overview["process"]["version"].as_str().unwrap_or_default();
    format!("{needs}{waits}.  switchboard {version}  {}", clock(overview["at"].as_str()))
}

fn facts(overview: &Value) -> String {
    let (facts, process) = (&overview["facts"], &overview["process"]);
    let mut parts = vec![
        format!("sent in an hour {}", number(facts, "sent_last_hour")),
        format!("waiting {}", number(facts, "waiting")),
        format!("failed today {}", number(facts, "failed_today")),
        format!("in doubt {}", number(facts, "in_doubt")),
    ];
    if let Some(half) = facts["answer_p50_ms"].as_u64() {
        parts.push(format!("answers {half} ms, 99 % {} ms", number(facts, "answer_p99_ms")));
    }
    if let Some(memory) = process["memory_bytes"].as_u64() {
        parts.push(format!("memory {} MB", memory >> 20));
    }
    if let Some(cpu) = process["cpu"].as_f64() {
        parts.push(format!("cpu {:.1} %", cpu * 100.0));
    }
    parts.join("   ")
}

fn clearing(overview: &Value) -> Option<String> {
    let run = overview["clearing"].as_object()?;
    let word = |field: &str| run.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let until = clock(run.get("until").and_then(Value::as_str));
    let next = word("next");
    let then = if next.is_empty() { String::new() } else { format!(", then {next}") };
    Some(format!("Clearing flood waits: {} until {until}{then}", word("phase")))
}

fn heading() -> String {
    cells(&COLUMNS.map(|(heading, ..)| heading.to_owned()))
}

fn row(card: &Value) -> String {
    let text = |field: &str| card[field].as_str().unwrap_or_default().to_owned();
    let shape = match card["lamp"].as_str() {
        Some("trouble") => '■',
        Some("waiting") => '◐',
        Some("busy") => '◌',
        Some("good") => '●',
        _ => '○',
    };
    let until = card["until"].as_str().map(|until| format!("until {}", clock(Some(until))));
    let because =
        [until, card["reason"].as_str().map(str::to_owned), card["detail"].as_str().map(str::to_owned)];
    let why: Vec<String> = because.into_iter().flatten().collect();
    let latency = card["latency_ms"].as_u64().map(|millis| format!("{millis} ms")).unwrap_or_default();
    cells(&[
        format!("{shape} {}", text("id")),
        text("state"),
        counted(card, "queue"),
        counted(card, "errors"),
        latency,
        bars(card),
        why.join(" · "),
    ])
}

/// What it sent in the last hours, as bars; nothing where nothing was sent.
fn bars(card: &Value) -> String {
    let sends: Vec<u64> = card["sends"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
    let shown = &sends[sends.len().saturating_sub(HOURS)..];
    let most = shown.iter().copied().max().unwrap_or(0);
    if most == 0 {
        return String::new();
    }
    let bar = |sent: &u64| {
        let height = usize::try_from(sent * (BARS.len() as u64 - 1) / most).unwrap_or(0);
        if *sent == 0 { ' ' } else { BARS.get(height).copied().unwrap_or('█') }
    };
    shown.iter().map(bar).collect()
}

fn cells(texts: &[String; COLUMNS.len()]) -> String {
    let mut line = String::new();
    for (text, (_, width, right)) in texts.iter().zip(COLUMNS) {
        if width == 0 {
            line.push_str(text);
            continue;
        }
        let text = fit(text, width);
        let gap = " ".repeat(width.saturating_sub(text.chars().count()));
        let (before, after) = if right { (gap.as_str(), "") } else { ("", gap.as_str()) };
        for piece in [before, &text, after, "  "] {
            line.push_str(piece);
        }
    }
    line.trim_end().to_owned()
}

/// Cuts a line to a width. What could move the cursor is left out: it may come from anywhere.
fn fit(text: &str, width: usize) -> String {
    let plain = || text.chars().filter(|letter| !letter.is_control());
    if plain().count() <= width {
        return plain().collect();
    }
    plain().take(width.saturating_sub(1)).chain(['…']).take(width).collect()
}

fn paint_row(line: &str, lamp: &str, paint: Paint) -> String {
    let colour = match (paint, lamp) {
        (Paint::Colours, "trouble") => "\x1b[31m",
        (Paint::Colours, "waiting") => "\x1b[33m",
        (Paint::Colours, "off" | "busy") => "\x1b[2m",
        _ => return line.to_owned(),
    };
    format!("{colour}{line}\x1b[0m")
}

/// The time of day of a time, in UTC.
fn clock(time: Option<&str>) -> String {
    time.and_then(|time| time.get(11..19)).map(|time| format!("{time}Z")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn overview() -> Value {
        let card = |id: &str, lamp: &str, state: &str, reason: Value| {
            json!({"id": id, "lamp": lamp, "state": state, "reason": reason, "detail": null, "until": null,
                "queue": 2, "errors": 1, "latency_ms": 41, "sends": [0, 0, 4, 8]})
        };
        json!({
            "at": "2026-01-01T10:00:00Z", "matching": 3,
            "counts": [{"kind": "account", "trouble": 1, "waiting": 1, "busy": 0, "off": 0, "good": 1}],
            "process": {"version": "0.1.0", "memory_bytes": 52_428_800, "cpu": 0.013},
            "facts": {"sent_last_hour": 7, "waiting": 0, "failed_today": 0, "in_doubt": 0, "answer_p50_ms": 25, "answer_p99_ms": 250},
            "clearing": null,
            "items": [
                card("account:main", "trouble", "error", json!("no_answer")),
                card("account:backup_1", "waiting", "flood_wait", json!("flood_wait\u{1b}[2J")),
                card("account:backup_2", "good", "ready", Value::Null),
            ],
        })
    }

    #[test]
    fn the_verdict_comes_first_and_trouble_has_its_reason() {
        let lines = draw(&overview(), Size { columns: 120, rows: 30 }, Paint::Plain);
        assert_eq!(lines[0], "1 of 3 needs you, 1 wait.  switchboard 0.1.0  10:00:00Z");
        assert!(
            lines[1].starts_with("sent in an hour 7   waiting 0")
                && lines[1].contains("memory 50 MB   cpu 1.3 %")
        );
        assert!(
            lines[4].starts_with("■ account:main") && lines[4].ends_with("▄█          no_answer"),
            "{}",
            lines[4]
        );
        assert!(lines[6].starts_with("● account:backup_2") && lines[6].contains("41 ms"), "{}", lines[6]);
        assert!(!lines.concat().contains('\u{1b}'), "nothing moves the cursor");
    }

    #[test]
    fn a_small_terminal_is_never_overrun() {
        for (columns, rows) in [(20, 6), (1, 1), (0, 0), (80, 5), (300, 100)] {
            let lines = draw(&overview(), Size { columns, rows }, Paint::Plain);
            assert!(lines.len() <= rows.max(1), "{columns}×{rows}: {}", lines.len());
            assert!(lines.iter().all(|line| line.chars().count() <= columns), "{columns}×{rows}");
        }
        let lines = draw(&overview(), Size { columns: 80, rows: 6 }, Paint::Plain);
        assert_eq!(lines.last().map(String::as_str), Some("… and 2 more"));
        let painted = draw(&overview(), Size { columns: 80, rows: 30 }, Paint::Colours);
        assert!(painted[4].starts_with("\x1b[31m■") && painted[4].ends_with("\x1b[0m"));
    }
}
