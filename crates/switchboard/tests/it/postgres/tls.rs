//! TLS to a server: spoken where the address asks for it, and only to one whose certificate is believed.

use testkit::{PostgresServer, Start, World};

use super::{one_of_several, order};
use crate::binary;

/// A program that believes this certificate alone.
fn believing<'a>(world: &World, url: &str, data_dir: &str, certificate: &str) -> Start<'a> {
    let file = world.data_dir(&format!("{data_dir}.pem"));
    std::fs::write(&file, certificate).expect("written");
    let mut start = one_of_several(world, url, data_dir);
    start.environment.push(("SSL_CERT_FILE".to_owned(), file.to_str().expect("UTF-8").to_owned()));
    start
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_spoken_to_over_trusted_tls_alone() {
    let world = World::start(binary()).await;
    let [of_the_server, other] = [(); 2]
        .map(|()| rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate"));
    let server =
        PostgresServer::over_tls(&of_the_server.cert.pem(), &of_the_server.signing_key.serialize_pem());
    let url = format!("{}?sslmode=verify-full", server.url());
    let mut stranger = believing(&world, &url, "stranger", &other.cert.pem()).standing_by().await;
    let output = stranger.said("Waiting ").await;
    assert!(output.contains("certificate"), "{output}");
    stranger.kill();

    // The server lets no one in without TLS.
    let program = believing(&world, &url, "data", &of_the_server.cert.pem()).ready().await;
    program.account_is("main", "ready").await;
    assert_eq!(order(&program, "over_tls").await.expect("an answer").0, 200);
    assert_eq!(world.sent().await, ["over_tls"]);
    // Where the address asks for none, it is refused for good.
    let plain = believing(&world, &server.url(), "plain", &of_the_server.cert.pem());
    let (code, output) = plain.refused().await;
    assert!(code == Some(1) && output.contains("no encryption"), "{code:?} {output}");
}
