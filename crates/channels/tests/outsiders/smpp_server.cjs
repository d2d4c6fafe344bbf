// A message centre of npm's smpp: `node smpp_server.cjs PACKAGE [KEY CERTIFICATE]`, with them over TLS. It says what it sees as lines of
// JSON, the first is its port.
const { readFileSync } = require("node:fs");

const smpp = require(process.argv[2]);
const [key, cert] = process.argv.slice(3).map((file) => readFileSync(file));

const say = (what) => console.log(JSON.stringify(what));
let made = 0;

const server = smpp.createServer(key ? { key, cert } : {}, (session) => {
  session.on("error", () => {});
  session.on("bind_transceiver", (pdu) => {
    const isRight = pdu.system_id === "demo" && pdu.password === "planted8";
    const status = isRight ? smpp.ESME_ROK : smpp.ESME_RINVPASWD;
    session.send(pdu.response({ command_status: status, system_id: "npm" }));
    if (isRight) deliver(session);
  });
  session.on("enquire_link", (pdu) => session.send(pdu.response()));
  session.on("submit_sm", (pdu) => {
    const { message, udh } = pdu.short_message;
    const text = message ?? pdu.message_payload.message;
    if (text === "slow") {
      session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
      return;
    }
    made += 1;
    say({
      text, udh: udh ? udh.map((element) => element.toString("hex")).join() : null, from: pdu.source_addr, to: pdu.destination_addr,
      data_coding: pdu.data_coding, registered_delivery: pdu.registered_delivery,
    });
    session.send(pdu.response({ message_id: `npm-${made}` }));
    const receipt = `id:npm-${made} sub:001 dlvrd:001 submit date:2601010000 done date:2601010001 stat:DELIVRD err:000 text:`;
    session.deliver_sm(
      { source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, esm_class: 4, short_message: receipt },
      (answer) => say({ receipt_answered: answer.command_status }),
    );
  });
});

// What a customer wrote: one short message, and one in two parts.
function deliver(session) {
  const parties = { source_addr: "70000000001", source_addr_ton: 1, destination_addr: "70000000009", dest_addr_ton: 1 };
  const contents = [
    "Здравствуйте",
    { udh: Buffer.from([5, 0, 3, 7, 2, 1]), message: "Do you " },
    { udh: Buffer.from([5, 0, 3, 7, 2, 2]), message: "deliver? {€}" },
  ];
  for (const short_message of contents) {
    const pdu = { ...parties, short_message, esm_class: short_message.udh ? 0x40 : 0 };
    session.deliver_sm(pdu, (answer) => say({ answered: answer.command_status }));
  }
}

server.listen(0, "127.0.0.1", () => say({ port: server.address().port }));
