//! `switchboard logs`: the lines that a server wrote about itself, read from its data directory, also while it runs.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::ops::ControlFlow;
use std::time::Duration;

use ambient::Clock;
use anyhow::Context;
use domain::Timestamp;
use logs::{
    ErrorKind, Filter, LARGEST_PAGE, Level, Line, LineId, Order, Page, Query, Reader, Service, printed,
};

use crate::{Location, logging, plain_json};

/// How many lines are shown without --since and --limit.
const USUAL: usize = 200;
/// How often a follower looks for new lines.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Logs {
    /// Follow new lines until Ctrl+C
    #[arg(long, short)]
    follow: bool,

    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        help = "Only lines of this service (repeatable): create_chat, send_text, send_media, leave_chat, telegram, web, \
                delivery, store, events, ..."
    )]
    service: Vec<Service>,

    /// Only lines of at least this level: error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL")]
    level: Option<Level>,

    /// Only lines since this time: 10m, 2h, 1d ago, or 2030-01-31T12:00:00Z
    #[arg(long, value_name = "WHEN")]
    since: Option<Moment>,

    /// Only lines before this time
    #[arg(long, value_name = "WHEN")]
    until: Option<Moment>,

    /// Only lines about this account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,

    #[arg(
        long,
        value_name = "TYPE",
        value_delimiter = ',',
        help = "Only lines with this type of error (repeatable): flood_wait, peer_flood, cannot_resolve, \
                session_lost, ..."
    )]
    error: Vec<ErrorKind>,

    /// Only lines about this message, operation or request, by its id
    #[arg(long, value_name = "ID")]
    subject: Option<String>,

    /// Only lines with this text; fields count as name=value
    #[arg(long, value_name = "WORDS")]
    grep: Option<String>,

    /// Match case in --grep
    #[arg(long, requires = "grep")]
    match_case: bool,

    /// The number of lines, the newest that match [default: 200, or all with --since]
    #[arg(long, short = 'n', value_name = "NUMBER")]
    limit: Option<usize>,

    /// Print one JSON object on each line
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    location: Location,
}

/// The options of a look at the lines about one thing.
#[derive(clap::Args)]
pub(crate) struct Look {
    /// Follow new lines until Ctrl+C
    #[arg(long, short)]
    follow: bool,
    /// Only lines of at least this level: error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL")]
    level: Option<Level>,
    /// Only lines since this time: 10m, 2h, 1d ago, or 2030-01-31T12:00:00Z
    #[arg(long, value_name = "WHEN")]
    since: Option<Moment>,
    /// The number of lines, the newest that match [default: 200, or all with --since]
    #[arg(long, short = 'n', value_name = "NUMBER")]
    limit: Option<usize>,
    /// Print one JSON object on each line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    location: Location,
}

impl Look {
    /// At the lines about an account.
    pub(crate) fn of_account(self, name: String) -> Logs {
        let Self { follow, level, since, limit, json, location } = self;
        Logs {
            follow,
            service: Vec::new(),
            level,
            since,
            until: None,
            account: Some(name),
            error: Vec::new(),
            subject: None,
            grep: None,
            match_case: false,
            limit,
            json,
            location,
        }
    }
}

/// A time, or how long ago.
#[derive(Debug, Clone, Copy)]
enum Moment {
    Ago(Duration),
    At(Timestamp),
}

impl std::str::FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(ago) = config::parse_duration(text) {
            return Ok(Self::Ago(ago));
        }
        text.parse().map(Self::At).map_err(|_| {
            "write how long ago, such as 10m, 2h or 1d, or a time such as 2030-01-31T12:00:00Z".to_owned()
        })
    }
}

impl Moment {
    fn resolve(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(ago) => now.minus(ago),
            Self::At(at) => at,
        }
    }
}

/// Where lines are shown. A reader that went away, as `head` does, has seen what it wanted.
struct Shown<W> {
    out: W,
    json: bool,
    colours: bool,
}

impl<W: Write> Shown<W> {
    fn line(&mut self, line: &Line) -> io::Result<()> {
        if self.json {
            writeln!(self.out, "{}", plain_json::plain(serde_json::to_string(line)?))
        } else {
            writeln!(self.out, "{}", printed(line, self.colours))
        }
    }
}

impl Logs {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let folder = self.location.data_dir()?.join(logging::FOLDER);
        if !folder.is_dir() {
            anyhow::bail!(
                "there are no logs in {}; name the data directory of the server with --data-dir, or start one with \
                 `switchboard up`",
                folder.display()
            );
        }
        let terminal = io::stdout().is_terminal();
        let colours = terminal && !self.json && std::env::var_os("NO_COLOR").is_none();
        let reader = Reader::new(&folder);
        let filter = self.filter(Clock::system().now());
        let (follow, limit) = (self.follow, self.limit);
        let json = self.json;
        let from_start = self.since.is_some() && limit.is_none();
        let showing = tokio::task::spawn_blocking({
            let (reader, filter) = (reader.clone(), filter.clone());
            move || {
                let mut shown = Shown { out: BufWriter::new(io::stdout().lock()), json, colours };
                // Following starts behind the newest line, whether it matches or not.
                let newest = newest(&reader)?;
                let done = if from_start {
                    show_all(&reader, &filter, None, &mut shown)
                } else {
                    show_newest(&reader, &filter, limit.unwrap_or(USUAL), &mut shown)
                };
                done.map(|last| last.max(newest))
            }
        });
        let ControlFlow::Continue(mut last) = unless_left(showing.await.context("the search broke down")?)?
        else {
            return Ok(());
        };
        if !follow {
            return Ok(());
        }
        let stop = crate::command::up::until_stop_requested();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                stop = &mut stop => return stop,
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
            let (reader, filter) = (reader.clone(), filter.clone());
            let looking = tokio::task::spawn_blocking(move || {
                let mut shown = Shown { out: BufWriter::new(io::stdout().lock()), json, colours };
                let newest = newest(&reader)?;
                show_all(&reader, &filter, last, &mut shown).map(|shown| shown.max(newest).max(last))
            });
            match unless_left(looking.await.context("the search broke down")?)? {
                ControlFlow::Continue(next) => last = next,
                ControlFlow::Break(()) => return Ok(()),
            }
        }
    }

    fn filter(&self, now: Timestamp) -> Filter {
        Filter {
            services: self.service.clone(),
            level: self.level,
            account: self.account.clone(),
            errors: self.error.clone(),
            subject: self.subject.clone(),
            since: self.since.map(|since| since.resolve(now)),
            until: self.until.map(|until| until.resolve(now)),
            text: self.grep.clone(),
            match_case: self.match_case,
        }
    }
}

/// Ends when the reader has closed the output.
fn unless_left<T>(done: io::Result<T>) -> anyhow::Result<ControlFlow<(), T>> {
    match done {
        Ok(done) => Ok(ControlFlow::Continue(done)),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        Err(error) => Err(error.into()),
    }
}

/// One page; damaged blocks are left out with a warning.
fn search(reader: &Reader, query: &Query) -> io::Result<Page> {
    let page = reader.search(query).map_err(io::Error::other)?;
    if page.damaged > 0 {
        eprintln!("warning: {} blocks of lines cannot be read: the disk has changed them", page.damaged);
    }
    Ok(page)
}

fn newest(reader: &Reader) -> io::Result<Option<LineId>> {
    let page = search(reader, &Query { limit: 1, ..Query::default() })?;
    Ok(page.lines.first().map(|line| line.id))
}

/// Shows what matches behind a line, from the oldest on.
fn show_all(
    reader: &Reader,
    filter: &Filter,
    mut after: Option<LineId>,
    shown: &mut Shown<impl Write>,
) -> io::Result<Option<LineId>> {
    let mut last = None;
    loop {
        let query = Query { filter: filter.clone(), order: Order::OldestFirst, after, limit: LARGEST_PAGE };
        let page = search(reader, &query)?;
        for line in &page.lines {
            shown.line(line)?;
            last = Some(line.id);
        }
        if page.next.is_none() {
            shown.out.flush()?;
            return Ok(last);
        }
        after = page.next;
    }
}

/// Shows the newest that match, the oldest of them first.
fn show_newest(
    reader: &Reader,
    filter: &Filter,
    limit: usize,
    shown: &mut Shown<impl Write>,
) -> io::Result<Option<LineId>> {
    let mut lines: Vec<Line> = Vec::new();
    let mut after = None;
    while lines.len() < limit {
        let limit = (limit - lines.len()).min(LARGEST_PAGE);
        let page =
            search(reader, &Query { filter: filter.clone(), order: Order::NewestFirst, after, limit })?;
        lines.extend(page.lines);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let last = lines.first().map(|line| line.id);
    for line in lines.iter().rev() {
        shown.line(line)?;
    }
    shown.out.flush()?;
    Ok(last)
}
