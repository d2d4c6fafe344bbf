//! What a known API key may do on a port without a key of its own.

use super::Ports;

#[tokio::test]
async fn each_route_of_a_port_names_what_a_key_needs() {
    let ports = Ports::with(None, false).await;
    let mut keys = Vec::new();
    for scopes in
        [&["read"][..], &["send"], &["operate"], &["read", "send", "operate", "personal"], &["admin"]]
    {
        keys.push(ports.world.make_key(scopes).await);
    }
    let passes = async |channel: &str, method: &str, path: &str| {
        let mut passes = Vec::new();
        for key in &keys {
            let call = ports.call(channel, method, path).key(key).json("{}".to_owned());
            passes.push(call.send().await.status != 403);
        }
        passes
    };
    let (read, send) = ([true, false, false, true, true], [false, true, false, true, true]);
    let (cancel, admin) = ([false, true, true, true, true], [false, false, false, false, true]);
    for (channel, method, path, wanted) in [
        ("avito", "GET", "/api/token", read),
        ("avito", "GET", "/api/token?force_refresh=true", admin),
        ("avito", "POST", "/api/token/refresh", admin),
        ("avito", "GET", "/api/webhook/status", read),
        ("avito", "POST", "/api/webhook/subscribe", admin),
        ("avito", "POST", "/api/webhook/unsubscribe", admin),
        ("avito", "POST", "/api/messages/send", send),
        ("whatsapp", "GET", "/api/qr", admin),
        ("whatsapp", "POST", "/api/mailing/1/stop", cancel),
        ("whatsapp", "GET", "/api/webhook", read),
        ("whatsapp", "POST", "/api/webhook/set", admin),
        ("whatsapp", "DELETE", "/api/webhook", admin),
        ("vk", "GET", "/api/callback/servers", read),
        ("vk", "POST", "/api/callback/servers", admin),
        ("vk", "DELETE", "/api/callback/servers/1", admin),
        ("vk", "PUT", "/api/callback/servers/1/settings", admin),
        ("vk", "GET", "/api/callback/confirmation", admin),
        ("vk", "DELETE", "/api/messages", send),
        ("max", "GET", "/api/subscriptions", read),
        ("max", "POST", "/api/subscribe", admin),
        ("max", "DELETE", "/api/subscribe", admin),
        ("max", "GET", "/info", read),
        ("instagram", "GET", "/api/ice-breakers", read),
        ("instagram", "POST", "/api/ice-breakers", send),
    ] {
        assert_eq!(passes(channel, method, path).await, wanted, "{channel} {method} {path}");
    }
}
