//! The commands of IMAP over the mailbox.

use super::super::request::{Reply, Request};
use super::writing::stamp;
use super::{Email, Folder, Letter, search};

impl Email {
    /// A command; its words are in the body, one a line. 200 is `OK`, 400 `BAD`, anything else `NO`; the body is what goes before
    /// that line, of a refusal its text.
    pub(super) fn command(&mut self, command: &str, request: &Request) -> Reply {
        let words: Vec<String> = String::from_utf8_lossy(&request.body).lines().map(str::to_owned).collect();
        match command {
            "login" if self.signs_in(request) => ok(Vec::new()),
            "login" => Reply::text(401, "[AUTHENTICATIONFAILED] wrong name or password"),
            "noop" | "idle" => ok(Vec::new()),
            "list" => ok(b"* LIST (\\HasNoChildren) \"/\" \"INBOX\"\r\n* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent\"\r\n".to_vec()),
            "select" | "examine" => match self.folder(words.first()) {
                Some(folder) => folder.opened(),
                None => Reply::text(404, "[NONEXISTENT] no such folder"),
            },
            _ => {
                let name = request.header("folder").map(str::to_owned);
                match self.folder(name.as_ref()) {
                    Some(folder) => folder.command(command, &words),
                    None => Reply::text(400, "no folder is open"),
                }
            }
        }
    }

    fn folder(&mut self, name: Option<&String>) -> Option<&mut Folder> {
        match name?.to_ascii_lowercase().as_str() {
            "inbox" => Some(&mut self.inbox),
            "sent" => Some(&mut self.outbox),
            _ => None,
        }
    }
}

impl Folder {
    fn command(&mut self, command: &str, words: &[String]) -> Reply {
        match command {
            "state" => ok(format!("{} {}", self.validity, self.letters.len()).into_bytes()),
            "uid search" => self.search(words),
            "uid fetch" => self.fetch(words),
            "uid store" => self.store(words),
            _ => Reply::text(400, "unknown command"),
        }
    }

    fn opened(&self) -> Reply {
        ok(format!(
            "* FLAGS (\\Seen \\Deleted)\r\n* {} EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY {}] numbers are valid\r\n\
             * OK [UIDNEXT {}] the next number\r\n",
            self.letters.len(),
            self.validity,
            self.next
        )
        .into_bytes())
    }

    fn last(&self) -> u32 {
        self.letters.last().map_or(0, |letter| letter.uid)
    }

    fn search(&self, words: &[String]) -> Reply {
        let Some(keys) = search::read(words) else { return Reply::text(400, "a search that is not known") };
        let last = self.last();
        let found = self.letters.iter().filter(|letter| keys.iter().all(|key| key.finds(letter, last)));
        let words = ["* SEARCH".to_owned()].into_iter().chain(found.map(|letter| letter.uid.to_string()));
        ok(format!("{}\r\n", words.collect::<Vec<_>>().join(" ")).into_bytes())
    }

    fn fetch(&mut self, words: &[String]) -> Reply {
        let Some((set, items)) = words.split_first() else { return Reply::text(400, "no numbers") };
        let items = items.join(" ").to_ascii_uppercase();
        let items: Vec<&str> = items.trim_matches(['(', ')']).split_whitespace().collect();
        let last = self.last();
        let mut response = Vec::new();
        for (number, letter) in (1..).zip(&mut self.letters) {
            if !search::is_in(set, letter.uid, last) {
                continue;
            }
            response.extend_from_slice(format!("* {number} FETCH (UID {}", letter.uid).as_bytes());
            for item in &items {
                match *item {
                    "UID" => {}
                    "FLAGS" => response.extend_from_slice(flags(letter).as_bytes()),
                    "RFC822.SIZE" => {
                        let size = letter.size.unwrap_or(letter.raw.len());
                        response.extend_from_slice(format!(" RFC822.SIZE {size}").as_bytes());
                    }
                    "INTERNALDATE" => {
                        let at = stamp(letter.at, "%d-%b-%Y %H:%M:%S +0000");
                        response.extend_from_slice(format!(" INTERNALDATE \"{at}\"").as_bytes());
                    }
                    "BODY.PEEK[]" => literal(&mut response, "BODY[]", &letter.raw),
                    "BODY[]" => {
                        letter.seen = true;
                        literal(&mut response, "BODY[]", &letter.raw);
                    }
                    "BODY.PEEK[HEADER]" => literal(&mut response, "BODY[HEADER]", header(&letter.raw)),
                    _ => return Reply::text(400, "something that is not known"),
                }
            }
            response.extend_from_slice(b")\r\n");
        }
        ok(response)
    }

    fn store(&mut self, words: &[String]) -> Reply {
        let [set, what, flags @ ..] = words else { return Reply::text(400, "no flags") };
        let adds = what.to_ascii_uppercase().starts_with("+FLAGS");
        if !adds || !flags.join(" ").contains("\\Seen") {
            return Reply::text(400, "only +FLAGS (\\Seen) is known");
        }
        let last = self.last();
        for letter in &mut self.letters {
            if search::is_in(set, letter.uid, last) {
                letter.seen = true;
            }
        }
        ok(Vec::new())
    }
}

fn flags(letter: &Letter) -> &'static str {
    if letter.seen { " FLAGS (\\Seen)" } else { " FLAGS ()" }
}

fn literal(response: &mut Vec<u8>, name: &str, content: &[u8]) {
    response.extend_from_slice(format!(" {name} {{{}}}\r\n", content.len()).as_bytes());
    response.extend_from_slice(content);
}

fn header(raw: &[u8]) -> &[u8] {
    let end = raw.windows(4).position(|four| four == b"\r\n\r\n");
    end.map_or(raw, |end| &raw[..end + 4])
}

fn ok(body: Vec<u8>) -> Reply {
    Reply { status: 200, body, ..Reply::default() }
}
