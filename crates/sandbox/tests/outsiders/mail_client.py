"""IMAPClient and smtplib as clients of the pretend mail server: they read, wait, answer, and are refused."""

import smtplib
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from world import account, customer, last

FIELDS = account("mail")
IMAP, SMTP = urlsplit(FIELDS["imap"]), urlsplit(FIELDS["smtp"])


def opened():
    return IMAPClient(IMAP.hostname, IMAP.port, ssl=False, timeout=20)


with opened() as wrong:
    try:
        wrong.login(IMAP.username, "wrong")
        raise AssertionError("a wrong password was taken")
    except LoginError:
        pass

with opened() as client:
    client.login(unquote(IMAP.username), unquote(IMAP.password))
    assert client.has_capability("IDLE") and client.folder_exists("INBOX")
    selected = client.select_folder("INBOX")
    assert selected[b"UIDVALIDITY"] > 0
    client.idle()
    customer("email", "mail", "anna@example.com", text="Есть доставка?", subject="Вопрос")
    assert any(response[1] == b"EXISTS" for response in client.idle_check(timeout=20))
    client.idle_done()
    [uid] = client.search(["UNSEEN"])
    fetched = client.fetch([uid], ["BODY.PEEK[]", "RFC822.SIZE", "INTERNALDATE", "FLAGS"])[uid]
    assert fetched[b"RFC822.SIZE"] == len(fetched[b"BODY[]"]) and fetched[b"FLAGS"] == ()
    mail = message_from_bytes(fetched[b"BODY[]"], policy=policy.default)
    assert (mail["subject"], mail.get_body(["plain"]).get_content().strip()) == ("Вопрос", "Есть доставка?")
    client.add_flags([uid], [b"\\Seen"])
    assert client.search(["UNSEEN"]) == [] and client.search(["SINCE", mail["date"].datetime.date()]) == [uid]

answer = EmailMessage()
answer["From"], answer["To"], answer["Subject"] = FIELDS["address"], "anna@example.com", "Re: Вопрос"
answer["Date"] = formatdate()
answer["Message-ID"], answer["In-Reply-To"] = "<planted@example.com>", mail["message-id"]
answer.set_content("Да, завтра")
with smtplib.SMTP(SMTP.hostname, SMTP.port, timeout=20) as server:
    try:
        server.login("shop", "wrong")
        raise AssertionError("a wrong password was taken")
    except smtplib.SMTPAuthenticationError as error:
        assert error.smtp_code == 535, error
    server.login(unquote(SMTP.username), unquote(SMTP.password))
    server.send_message(answer)
    try:
        server.sendmail(FIELDS["address"], ["unknown@example.com"], answer.as_bytes())
        raise AssertionError("an unknown receiver was taken")
    except smtplib.SMTPRecipientsRefused as error:
        assert error.recipients["unknown@example.com"][0] == 550, error
assert last("email")["text"].strip() == "Да, завтра"
print("fine")
