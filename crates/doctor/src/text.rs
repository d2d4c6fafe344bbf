//! The report as a person reads it: grouped by area, the worst first, no line wider than the terminal.

use super::finding::{Finding, Fix, Severity};
use super::report::{Looked, Report, Section};

/// How it is written.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// The widest line, in letters.
    pub width: usize,
    /// Whether colours are used.
    pub colours: bool,
}

impl Style {
    fn painted(self, severity: Severity, text: &str) -> String {
        let colour = match severity {
            Severity::Error => "31;1",
            Severity::Warning => "33;1",
            Severity::Note => "36",
        };
        self.with(colour, text)
    }

    fn with(self, colour: &str, text: &str) -> String {
        if self.colours { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

impl Report {
    pub fn text(&self, style: Style) -> String {
        let mut lines = Vec::new();
        let mut sections: Vec<&Section> = self.sections.iter().collect();
        sections.sort_by_key(|section| (worst(section).is_none(), worst(section)));
        let (unseen, seen): (Vec<_>, Vec<_>) = sections.into_iter().partition(|section| is_blank(section));
        for section in seen {
            write_section(section, style, &mut lines);
        }
        write_unseen(&unseen, style, &mut lines);
        lines.push(self.verdict(style));
        lines.join("\n")
    }

    fn verdict(&self, style: Style) -> String {
        let [errors, warnings, notes] =
            [Severity::Error, Severity::Warning, Severity::Note].map(|severity| self.count(severity));
        let many = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        let counts =
            format!("{}, {}, {}", many(errors, "error"), many(warnings, "warning"), many(notes, "note"));
        let worst =
            if errors > 0 { Some(Severity::Error) } else { (warnings > 0).then_some(Severity::Warning) };
        let words = worst.map_or_else(
            || style.with("32;1", "Nothing is wrong"),
            |worst| style.painted(worst, "Something is wrong"),
        );
        format!("{words}: {counts}.")
    }
}

/// Whether nothing was seen of an area and nothing found.
fn is_blank(section: &Section) -> bool {
    section.looked == Looked::Not && section.findings.is_empty() && section.facts.is_empty()
}

/// The areas of which nothing was seen, those together that have one reason.
fn write_unseen(sections: &[&Section], style: Style, lines: &mut Vec<String>) {
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for section in sections {
        let why = section.unseen.join("; ");
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, areas)) => areas.push(section.area.as_str()),
            None => reasons.push((why, vec![section.area.as_str()])),
        }
    }
    if !reasons.is_empty() {
        lines.push(style.with("1", "NOT SEEN"));
        for (why, areas) in reasons {
            wrap(&format!("{}: {why}", areas.join(", ")), "  ? ", "    ", style.width, lines);
        }
        lines.push(String::new());
    }
}

fn worst(section: &Section) -> Option<Severity> {
    section.findings.iter().map(|finding| finding.severity).min()
}

fn write_section(section: &Section, style: Style, lines: &mut Vec<String>) {
    let looked = match section.looked {
        Looked::Wholly => "",
        Looked::Partly => "  (seen in part)",
        Looked::Not => "  (not seen)",
    };
    lines.push(format!("{}{looked}", style.with("1", &section.area.as_str().to_uppercase())));
    for finding in &section.findings {
        write_finding(finding, style, lines);
    }
    for fact in &section.facts {
        wrap(&format!("{}: {}", fact.name, fact.value), "  ", "      ", style.width, lines);
        // Never cut: it is there to be copied.
        lines.extend(fact.command.iter().map(|command| format!("      $ {}", style.with("1", command))));
    }
    for why in &section.unseen {
        wrap(why, "  ? ", "    ", style.width, lines);
    }
    lines.push(String::new());
}

fn write_finding(finding: &Finding, style: Style, lines: &mut Vec<String>) {
    let mark = format!("{:<8}", finding.severity.as_str());
    let first = lines.len();
    wrap(&finding.summary, &format!("  {mark}"), "          ", style.width, lines);
    // Painted when it is cut: colours have no width.
    if let Some(line) = lines.get_mut(first) {
        *line = line.replacen(mark.trim_end(), &style.painted(finding.severity, mark.trim_end()), 1);
    }
    for evidence in &finding.evidence {
        wrap(evidence, "          - ", "            ", style.width, lines);
    }
    match &finding.fix {
        Fix::Command { command, advice } => {
            // A command is never cut: it is there to be copied.
            lines.push(format!("          $ {}", style.with("1", command)));
            if !advice.is_empty() {
                wrap(advice, "            ", "            ", style.width, lines);
            }
        }
        Fix::Setting { key, advice } => {
            wrap(&format!("{key}: {advice}"), "          = ", "            ", style.width, lines);
        }
        Fix::Advice { advice } => wrap(advice, "          > ", "            ", style.width, lines),
        Fix::Nothing => {}
    }
}

/// Cuts a text at blanks into lines that begin so and go on so. A word that is wider than a line has one for itself.
fn wrap(text: &str, first: &str, more: &str, width: usize, lines: &mut Vec<String>) {
    let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let length = line.chars().count() + usize::from(!empty) + word.chars().count();
        if !empty && length > width {
            lines.push(std::mem::replace(&mut line, more.to_owned()));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    lines.push(line.trim_end().to_owned());
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::finding::Code;
    use crate::report::Area;

    fn finding(severity: Severity, fix: Fix) -> Finding {
        Finding {
            code: Code::PortTaken,
            severity,
            subject: "port 5022".to_owned(),
            summary: "127.0.0.1:5022 is taken by an old script: process 4711, which was started long before this program was installed.".to_owned(),
            evidence: vec!["process 4711: python3 gunicorn -b 0.0.0.0:5022 send_text:app".to_owned()],
            fix,
        }
    }

    fn report() -> Report {
        let mut disk = Section::new(Area::Disk);
        disk.fact("/var/lib/switchboard", "12 GiB free of 20 GiB");
        let mut ports = Section::new(Area::Ports);
        ports.findings =
            vec![finding(Severity::Error, Fix::command("kill 4711")), finding(Severity::Note, Fix::Nothing)];
        ports.lacks("who holds some ports is not shown to this user");
        let mut callbacks = Section::new(Area::Callbacks);
        callbacks.findings = vec![finding(Severity::Warning, Fix::setting("listen", "choose another"))];
        Report {
            made_at: Timestamp::default(),
            version: "0.1.0".to_owned(),
            server: None,
            sections: vec![
                Section::unseen(Area::Queue, "only a running server tells this"),
                disk,
                callbacks,
                ports,
                Section::unseen(Area::Errors, "only a running server tells this"),
            ],
            legacy: Vec::new(),
            inside: None,
        }
    }

    #[test]
    fn the_worst_comes_first_in_eighty_columns() {
        let expected = "\
PORTS  (seen in part)
  error   127.0.0.1:5022 is taken by an old script: process 4711, which was
          started long before this program was installed.
          - process 4711: python3 gunicorn -b 0.0.0.0:5022 send_text:app
          $ kill 4711
  note    127.0.0.1:5022 is taken by an old script: process 4711, which was
          started long before this program was installed.
          - process 4711: python3 gunicorn -b 0.0.0.0:5022 send_text:app
  ? who holds some ports is not shown to this user

CALLBACKS
  warning 127.0.0.1:5022 is taken by an old script: process 4711, which was
          started long before this program was installed.
          - process 4711: python3 gunicorn -b 0.0.0.0:5022 send_text:app
          = listen: choose another

DISK
  /var/lib/switchboard: 12 GiB free of 20 GiB

NOT SEEN
  ? queue, errors: only a running server tells this

Something is wrong: 1 error, 1 warning, 1 note.";
        assert_eq!(report().text(Style { width: 80, colours: false }), expected);
        let coloured = report().text(Style { width: 80, colours: true });
        assert!(coloured.contains("\u{1b}[31;1merror\u{1b}[0m"), "{coloured}");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_it_may_be_and_no_word_is_lost(text in "[a-zа-я ]{0,300}", width in 30_usize..120) {
            let mut lines = Vec::new();
            wrap(&text, "  ", "    ", width, &mut lines);
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            prop_assert_eq!(words(&lines.join(" ")), words(&text));
            for line in &lines {
                prop_assert!(line.chars().count() <= width || words(line).len() == 1);
            }
        }
    }
}
