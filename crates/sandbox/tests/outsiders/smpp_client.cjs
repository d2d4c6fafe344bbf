// npm's smpp as a client of the pretend message centre: `node smpp_client.cjs PACKAGE CONTROL ADDRESS`.
const assert = require("node:assert");
const smpp = require(process.argv[2]);
const control = `http://${process.argv[3]}`;
const address = new URL(process.argv[4]);
const phone = "70000000001";

const opened = () => {
  const session = smpp.connect({ url: `smpp://${address.host}` });
  session.on("error", (error) => assert.fail(error));
  session.on("pdu", (pdu) => pdu.command === "enquire_link" && session.send(pdu.response()));
  return session;
};
const asked = (session, command, fields) => new Promise((resolve) => session[command](fields, resolve));
const customer = async (deed) => {
  const body = JSON.stringify({ channel: "sms", account: "texts_smpp", from: phone, ...deed });
  const answer = await fetch(`${control}/customers/messages`, { method: "POST", body });
  assert.equal(answer.status, 201, await answer.text());
};
const login = { system_id: address.username, password: address.password };
const text = (fields) => ({ source_addr: "70000000009", destination_addr: phone, ...fields });

async function main() {
  const wrong = opened();
  assert.equal((await asked(wrong, "submit_sm", text({ short_message: "x" }))).command_status, smpp.ESME_RINVBNDSTS);
  assert.equal((await asked(wrong, "bind_transceiver", { ...login, password: "x" })).command_status, smpp.ESME_RINVPASWD);
  assert.equal((await asked(wrong, "bind_transceiver", { ...login, system_id: "x" })).command_status, smpp.ESME_RINVSYSID);
  wrong.close();

  const session = opened();
  const delivered = [];
  let refuses = true;
  session.on("deliver_sm", (pdu) => {
    // The first is refused, and comes again.
    session.send(pdu.response({ command_status: refuses ? smpp.ESME_RSYSERR : 0 }));
    if (!refuses) delivered.push(pdu);
    refuses = false;
  });
  const next = async () => {
    for (let turns = 0; turns < 500 && delivered.length === 0; turns += 1) await new Promise((go) => setTimeout(go, 20));
    assert.ok(delivered.length > 0, "nothing was delivered");
    return delivered.shift();
  };
  assert.equal((await asked(session, "bind_transceiver", login)).command_status, 0);
  assert.equal((await asked(session, "bind_transceiver", login)).command_status, smpp.ESME_RALYBND);

  const submitted = await asked(session, "submit_sm", text({ short_message: "Привет", registered_delivery: 1 }));
  assert.equal(submitted.command_status, 0);
  await customer({ action: "deliver" });
  const receipt = await next();
  assert.equal(receipt.esm_class & 0x3c, 4);
  assert.equal(receipt.receipted_message_id, submitted.message_id);
  assert.equal(receipt.message_state, 2);
  assert.ok(receipt.short_message.message.startsWith(`id:${submitted.message_id} `));

  await customer({ text: "Здравствуйте" });
  const written = await next();
  assert.equal(written.source_addr, phone);
  assert.equal(written.short_message.message, "Здравствуйте");

  for (const [fields, status] of [
    [{ short_message: "x".repeat(161) }, smpp.ESME_RINVMSGLEN],
    [{ data_coding: 8, short_message: Buffer.alloc(142) }, smpp.ESME_RINVMSGLEN],
    [{ data_coding: 4, short_message: Buffer.from("x") }, 0x104],
    [{ source_addr: "70000000002", short_message: "x" }, smpp.ESME_RINVSRCADR],
    [{ destination_addr: "x", short_message: "x" }, smpp.ESME_RINVDSTADR],
  ]) {
    assert.equal((await asked(session, "submit_sm", text(fields))).command_status, status, JSON.stringify(fields));
  }
  const many = await Promise.all(
    Array.from({ length: 40 }, () => asked(session, "submit_sm", text({ short_message: "many" }))),
  );
  assert.ok(many.some((answer) => answer.command_status === smpp.ESME_RTHROTTLED));
  assert.equal((await asked(session, "unbind", {})).command_status, 0);
  session.close();
  console.log("fine");
}

main().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
