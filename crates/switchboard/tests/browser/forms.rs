//! The form of the manual on a page of another site: sent, and once only where the first answer was lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use testkit::{World, free_port};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::binary;
use crate::chromium::Chromium;
use crate::stage::beginning;

const MANUAL: &str = include_str!("../../../../docs/channels.md");

/// The address in the manual, below which a form is sent.
const THERE: &str = "https://switchboard.example.com";

/// Serves the form of the manual at each path, with another address in it; where that is.
async fn page(address: &str) -> String {
    let block = MANUAL.split("```html\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block");
    assert_eq!(block.matches(THERE).count(), 1, "{block}");
    let page =
        format!("<!doctype html><html lang=\"en\"><body>{}</body></html>", block.replace(THERE, address));
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let site = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut vec![0; 16 * 1024]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    site
}

/// Leads to a program; while it cuts, connections end with what answers a `POST`.
async fn line(to: String, cuts: Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect(to.trim_start_matches("http://")).await.expect("the program");
            tokio::spawn(pass_on(near, far, Arc::clone(&cuts)));
        }
    });
    address
}

async fn pass_on(mut near: TcpStream, mut far: TcpStream, cuts: Arc<AtomicBool>) {
    let (mut request, mut reply, mut is_post) = (vec![0; 16 * 1024], vec![0; 16 * 1024], false);
    loop {
        tokio::select! {
            Ok(count @ 1..) = near.read(&mut request) => {
                is_post |= request.starts_with(b"POST ");
                far.write_all(&request[..count]).await.expect("the program");
            }
            Ok(count @ 1..) = far.read(&mut reply) => {
                if is_post && cuts.load(Ordering::SeqCst) || near.write_all(&reply[..count]).await.is_err() {
                    return;
                }
            }
            else => return,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_of_the_manual_is_had_once() {
    let (world, port) = (World::start(binary()).await, free_port());
    world.with_channels(&format!("http://127.0.0.1:{port}"));
    let program = beginning(&world).at(port).ready().await;
    let cuts = Arc::new(AtomicBool::new(true));
    let address = line(program.address().to_owned(), Arc::clone(&cuts)).await;
    let browser = Chromium::start().await;
    let tab = browser.person().await.tab(&page(&address).await).await;
    let forms = async || program.get("/v1/messages?direction=in&channel=form").await.1["items"].clone();
    let status_is =
        |words: &str| format!("document.querySelector('[role=status]').textContent === '{words}'");

    tab.open("/contact").await;
    for (field, text) in [("name", "Anna"), ("phone", "+70000000001"), ("message", "Is it still there?")] {
        tab.fill(&format!("[name={field}]"), text).await;
    }
    tab.press("button").await;
    tab.until(&status_is("No connection; please try again.")).await;
    let first = forms().await;
    cuts.store(false, Ordering::SeqCst);
    tab.press("button").await;
    tab.until(&status_is("Thank you, we will call you.")).await;
    let had = forms().await;
    assert_eq!((had.as_array().map(Vec::len), &had), (Some(1), &first), "the first press arrived: {had:#}");
    let text = had[0]["text"].as_str().expect("a text");
    assert!(text.contains("Is it still there?"), "{text}");
    assert_eq!((&had[0]["client_name"], &had[0]["client_phone"]), (&"Anna".into(), &"+70000000001".into()));

    // Another form is another message; one that is wrong says so.
    assert_eq!(tab.text("document.querySelector('[name=phone]').value").await, "");
    tab.fill("[name=phone]", "12").await;
    tab.press("button").await;
    tab.until("document.querySelector('[role=status]').textContent.includes('phone')").await;
    tab.fill("[name=phone]", "+70000000002").await;
    tab.press("button").await;
    tab.until(&status_is("Thank you, we will call you.")).await;
    assert_eq!(forms().await.as_array().map(Vec::len), Some(2));
    assert_eq!(forms().await[0]["client_phone"], Value::from("+70000000002"));
}
