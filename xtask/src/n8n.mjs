// Imports the workflows of a folder into n8n, runs each of them twice against the program with a demo world, and compares the
// ledger of that world, also where connections are cut and where the program refuses; the one that an event starts runs as a section
// of the quick start has it, typed as written, and again while the program is killed at each point between a customer and the post;
// those that hand messages in and answer clients run against customers of that world.
// Arguments: the program, the folder with n8n, the folder with the workflows, a folder to work in, the quick start.
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";

const [program, n8nFolder, workflows, work, quickStart] = process.argv.slice(2);
const MAIN = "http://127.0.0.1:5099";
const CONTROL = "http://127.0.0.1:5098";
const KEY = "swb_" + "0".repeat(43);
const LIMIT = 180_000;
const VERSION = JSON.parse(fs.readFileSync(path.join(n8nFolder, "package.json"), "utf8")).dependencies.n8n;
const EVENT = "switchboardEvent";
const HOOK = "http://127.0.0.1:5678/webhook/switchboard";
// The workflows that wait for posts, by file, and the secret of what answers clients.
const WAITING = {
  "event.json": EVENT, "inbound.json": "switchboardInbound", "answer.json": "switchboardAnswer", "queue-incoming.json": "switchboardQueueIncoming",
};
// Those that need the channels of the demo world.
const CHANNEL_PORTS = "switchboardChannelPorts";
const QUEUE_OUTGOING = "switchboardQueueOutgoing";
// Their accounts by channel. VK is last: n8n has to listen before the time to answer what is written there has passed.
const ACCOUNTS = { avito: "shop", whatsapp: "phone", max: "assistant", instagram: "studio", vk: "club" };
// What a customer writes before an old port answers.
const ASKED = "Is order 7 ready?";
const ANSWER_SECRET = `whsec_${Buffer.from("a secret of the pipeline, 32 byte").toString("base64")}`;

// Each effect that a workflow has, however often it runs.
const EXPECTED = {
  switchboardSend: { "messages.sendMessage": ["Your order 7 is ready."] },
  switchboardChat: {
    "channels.createChannel": 1, "messages.sendMessage": ["Your order is here."], "messages.sendMedia": 1, "channels.leaveChannel": 1,
  },
  switchboardOldPorts: {
    "channels.createChannel": 1, "messages.sendMessage": ["Your order is here."], "messages.sendMedia": 1, "channels.leaveChannel": 1,
  },
};

const env = {
  ...process.env,
  N8N_USER_FOLDER: work,
  N8N_EXPRESSION_ENGINE: "legacy",
  N8N_RUNNERS_ENABLED: "false",
  N8N_DIAGNOSTICS_ENABLED: "false",
  N8N_VERSION_NOTIFICATIONS_ENABLED: "false",
  N8N_LISTEN_ADDRESS: "127.0.0.1",
  NODE_FUNCTION_ALLOW_BUILTIN: "crypto",
};
const N8N = path.join(n8nFolder, "node_modules/n8n/bin/n8n");

let failures = 0;

function fail(text) {
  console.error(`error: ${text}`);
  failures += 1;
}

function n8n(...args) {
  const child = spawn(process.execPath, [N8N, ...args], {
    env, timeout: LIMIT, stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => (output += piece));
  return new Promise((done) => child.on("close", (code) => done({ good: code === 0, output })));
}

async function until(what, check) {
  const end = Date.now() + LIMIT;
  while (Date.now() < end) {
    if (await check().catch(() => false)) return;
    await new Promise((done) => setTimeout(done, 200));
  }
  throw new Error(`waited in vain until ${what}`);
}

const ledger = async () => (await (await fetch(`${CONTROL}/ledger`)).json()).items;

// The old ports fetch files by address; this one is on this machine.
const files = http.createServer(({ url }, answer) => {
  if (url !== "/receipt.txt") answer.statusCode = 404;
  answer.end("A receipt");
});
await new Promise((listening) => files.listen(0, "127.0.0.1", listening));
const receipt = `http://127.0.0.1:${files.address().port}/receipt.txt`;

// The blocks of the section, each with its language.
const section = fs.readFileSync(quickStart, "utf8").split("\n## A flow in n8n\n")[1].split("\n## ")[0];
const blocks = [...section.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, text]) => ({ language, text }));
const written = blocks.find(({ language }) => language === "toml").text;

const settings = path.join(work, "switchboard.toml");
fs.writeFileSync(settings, `[media]\nallow_private = ["127.0.0.0/8"]\n${written}`);
const children = [];
// The points at which a program stopped.
const stopped = new Set();
function starts(...args) {
  return spawned(program, args);
}

function spawned(program, args) {
  const child = spawn(program, args, {
    env: { ...process.env, SWITCHBOARD_BOOTSTRAP_KEY: KEY, ANSWER_SECRET }, stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (piece) => {
    process.stderr.write(piece);
    said += piece;
    for (const [, point] of said.matchAll(/^stopped at (\S+)$/gm)) stopped.add(point);
  });
  children.push(child);
  return child;
}
starts("up", "--sandbox", "--config", settings);

// Ends all that was started, so that the next begins on the same ports.
async function stops() {
  for (const child of children.splice(0)) {
    const ended = new Promise((done) => child.on("exit", done));
    child.kill("SIGTERM");
    await ended;
  }
}

// A command of a page, with what is printed below it.
function typed(text) {
  const commands = [];
  for (const line of text.split("\n")) {
    const last = commands.at(-1);
    if (line.startsWith("$ ")) commands.push({ command: line.slice(2), answer: "" });
    else if (last?.command.endsWith("\\")) last.command += `\n${line}`;
    else if (last) last.answer += line;
  }
  return commands;
}

// Whether what is between the `…` is in the text, in order.
function answers(expected, got) {
  let at = 0;
  return expected.split("…").every((piece) => {
    const found = got.indexOf(piece.trim(), at);
    at = found + piece.trim().length;
    return found >= 0;
  });
}

function bash(command) {
  const child = spawn("bash", ["-c", command], { env: { ...process.env, KEY }, timeout: LIMIT, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (piece) => (output += piece));
  return new Promise((done) => child.on("close", () => done(output)));
}

const call = async (method, path, body) =>
  (await fetch(`${MAIN}${path}`, {
    method, headers: { "X-API-Key": KEY, "content-type": "application/json" }, body: body && JSON.stringify(body),
  })).json();

// Imports workflows that wait for posts, with the secret in them, makes them active, and starts n8n.
async function listen(secret, ...files) {
  for (const file of files) {
    const id = WAITING[file];
    const copy = path.join(work, file);
    const text = fs.readFileSync(path.join(workflows, file), "utf8");
    fs.writeFileSync(copy, text.replace("whsec_PUT_YOURS_HERE", secret));
    for (const args of [["import:workflow", `--input=${copy}`], ["update:workflow", `--id=${id}`, "--active=true"]]) {
      const { good, output } = await n8n(...args);
      if (!good) throw new Error(`${file}: ${output}`);
    }
  }
  const log = fs.openSync(path.join(work, "n8n.log"), "w");
  const child = spawn(process.execPath, [N8N, "start"], { env, stdio: ["ignore", log, log] });
  children.push(child);
  const hook = `http://127.0.0.1:5678/webhook/${files[0] === "event.json" ? "switchboard" : "switchboard-answer"}`;
  await until("n8n listens", async () => (await fetch(hook, { method: "POST" })).status !== 404);
}

// Posts to the workflow, signed with a secret: what it answers.
async function post(secret, { at = Math.floor(Date.now() / 1000), signed, body }) {
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const signature = createHmac("sha256", key).update(`evt_9.${at}.${signed ?? body}`).digest("base64");
  const headers = {
    "content-type": "application/json", "webhook-id": "evt_9", "webhook-timestamp": `${at}`,
    "webhook-signature": `v1,bm8= v1,${signature}`,
  };
  const answer = await fetch(HOOK, { method: "POST", headers, body });
  return `${answer.status} ${await answer.text()}`;
}

async function onAnEvent() {
  const failed = failures;
  const greetings = async () => (await ledger()).filter(({ text }) => text === "Welcome! We answer here.").length;
  let secret;
  for (const { command, answer } of blocks.filter(({ language }) => language === "console").flatMap(({ text }) => typed(text))) {
    // They run already, or begin once the workflow has its secret.
    if (command.startsWith("cargo run ")) continue;
    if (command.startsWith("npx ")) {
      if (command !== `npx n8n@${VERSION}`) fail(`${command} starts another n8n than ${VERSION}`);
      continue;
    }
    if (command.startsWith("export ")) {
      const [name, value] = command.slice("export ".length).split("=");
      if (env[name] !== value) fail(`${name} is another one in the quick start`);
      continue;
    }
    let output = "";
    if (command.endsWith("/ledger")) {
      await until(`${command} answers ${answer}`, async () => answers(answer, (output = await bash(command))));
    } else {
      output = await bash(command);
    }
    if (!answers(answer, output)) fail(`${command}\nanswers\n${output}\nnot\n${answer}`);
    if (command.includes("/v1/webhooks")) {
      secret = JSON.parse(output).secret;
      await listen(secret, "event.json");
    }
  }
  // The same event once more: it is taken, and nothing is said twice.
  const [webhook] = (await call("GET", "/v1/webhooks")).items;
  const attempts = `/v1/webhooks/${webhook.id}/attempts`;
  const [{ event, tried_at: before }] = (await call("GET", attempts)).items;
  await call("POST", `${attempts}/${event}/retry`);
  await until("it is posted once more", async () => {
    const [attempt] = (await call("GET", attempts)).items;
    return attempt.state === "delivered" && attempt.tried_at > before;
  });
  const body = '{"type":"chat.left","data":{}}';
  const old = Math.floor(Date.now() / 1000) - 600;
  for (const [expected, made] of [
    ["204 ", { body }],
    ['401 {"code":"signature_wrong"', { body: body.replace("left", "made"), signed: body }],
    ['401 {"code":"timestamp_wrong"', { body, at: old }],
  ]) {
    const got = await post(secret, made);
    if (!got.startsWith(expected)) fail(`a post is answered ${got}, not ${expected}`);
  }
  if ((await greetings()) !== 1) fail(`the first words were written ${await greetings()} times`);
  console.log(`${failures > failed ? "✗" : "✓"} event.json: a genuine event passes once, others do not`);
}

// Runs a workflow by its id, and says whether it went well.
async function runs(file, id, round) {
  const { good, output } = await n8n("execute", `--id=${id}`);
  if (!good || !output.includes("Execution was successful")) fail(`${file}, run ${round}: ${output.slice(-1500)}`);
}

// Imports a workflow with some of its text replaced.
async function takes(file, changes) {
  const copy = path.join(work, file);
  let text = fs.readFileSync(path.join(workflows, file), "utf8");
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
    text = text.replaceAll(from, to);
  }
  fs.writeFileSync(copy, text);
  const { good, output } = await n8n("import:workflow", `--input=${copy}`);
  if (!good) throw new Error(`${file}: ${output}`);
}

// A connection that is cut before the call, and one before the answer: the message is sent once.
async function overCutConnections() {
  const failed = failures;
  let calls = 0;
  const cutting = http.createServer(async (request, answer) => {
    calls += 1;
    if (calls === 1) return request.socket.destroy();
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const { method, url, headers } = request;
    const { "x-api-key": key, "idempotency-key": idempotency, "content-type": type } = headers;
    const passed = await fetch(`${MAIN}${url}`, {
      method, body: Buffer.concat(pieces), headers: { "x-api-key": key, "idempotency-key": idempotency, "content-type": type },
    });
    const body = await passed.text();
    if (calls === 2) return request.socket.destroy();
    answer.writeHead(passed.status, { "content-type": "application/json" }).end(body);
  });
  await new Promise((listening) => cutting.listen(0, "127.0.0.1", listening));
  const text = "Your order 9 is ready.";
  await takes("send.json", [
    [MAIN, `http://127.0.0.1:${cutting.address().port}`], ["order-7", "order-9"], ["Your order 7 is ready.", text],
  ]);
  await runs("send.json", "switchboardSend", "cut");
  cutting.close();
  const found = (await ledger()).filter((effect) => effect.text === text);
  if (found.length !== 1 || calls !== 3) fail(`send.json: ${calls} calls, and written ${found.length} times`);
  console.log(`${failures > failed ? "✗" : "✓"} send.json: one message over two connections that are cut`);
}

// What is refused ends on the error branch, with the words of the program.
async function onRefusals() {
  for (const [file, id, changes, words] of [
    ["send.json", "switchboardSend", [["@client_1", "@nobody_here"], ["order-7", "order-10"]], "chat_not_found: "],
    ["chat-old-ports.json", "switchboardOldPorts", [
      ["https://example.com/receipt.txt", receipt.replace("receipt", "missing")], ["order-8", "order-11"],
    ], "404"],
  ]) {
    await takes(file, changes);
    const { good, output } = await n8n("execute", `--id=${id}`);
    const right = !(good && output.includes("Execution was successful")) && output.includes(words);
    if (!right) fail(`${file}: a refusal does not end with ${words}: ${output.slice(-1500)}`);
    console.log(`${right ? "✓" : "✗"} ${file}: a refusal ends on the error branch`);
  }
}

// What the workflow answers to customers, and one of them.
const ANSWER = "We have your message and answer soon.";
const CLIENT_2 = "6000000002";

// Where the program is killed between the message of a customer and the post to n8n.
const POINTS = ["store.take_updates", "store.fan_out", "store.webhook_tried"].flatMap((point) => [`${point}.before`, `${point}.after`]);

// Each message of a customer is answered once by the workflow, wherever the program was killed.
async function overKills() {
  const failed = failures;
  await stops();
  const world = path.join(work, "killed");
  fs.mkdirSync(world);
  starts("sandbox", "--data-dir", world);
  const file = path.join(world, "switchboard.toml");
  await until("the sandbox is ready", async () => fs.existsSync(file) && (await fetch(`${CONTROL}/ledger`)).ok);
  fs.appendFileSync(file, `\n${written}`);
  const up = () => starts("up", "--config", file, "--data-dir", path.join(world, "data"));
  const ready = () => until("the program is ready", async () => (await fetch(`${MAIN}/health/ready`)).ok);
  let running = up();
  const killed = () => {
    children.splice(children.indexOf(running), 1);
    const ended = new Promise((done) => running.on("exit", done));
    running.kill("SIGKILL");
    return ended;
  };
  await ready();
  const { secret } = await call("POST", "/v1/webhooks", { url: HOOK, events: ["message.received"] });
  await listen(secret, "event.json");
  const say = async (text, [from, chat] = ["@client_1", "@demo_main"]) => {
    const body = JSON.stringify({ from, chat, text });
    const answer = await fetch(`${CONTROL}/telegram/messages`, { method: "POST", headers: { "content-type": "application/json" }, body });
    if (!answer.ok) throw new Error(`a customer cannot write: ${answer.status} ${await answer.text()}`);
  };
  const answered = async () => (await ledger()).filter(({ text }) => text === ANSWER).length;
  await until("the account hears", async () => {
    await say("Good day.");
    return (await answered()) > 0;
  });
  for (const point of POINTS) {
    const { items } = await call("GET", "/v1/messages?direction=in&limit=100");
    await until("all so far are answered", async () => (await answered()) === items.length);
    await killed();
    process.env.FAILPOINT = point;
    running = up();
    delete process.env.FAILPOINT;
    await ready();
    await say(point);
    await until(`the program stops at ${point}`, async () => stopped.has(point));
    await killed();
    running = up();
    await ready();
    await until(`what was written before ${point} is answered`, async () => (await answered()) === items.length + 1);
  }
  // What the owner writes with a phone is such an event too.
  const before = await answered();
  await say("By hand.", ["main", "@client_2"]);
  await until("it is kept", async () => (await call("GET", "/v1/messages?direction=in")).items.some(({ origin }) => origin === "owner"));
  await say("And on Sunday?");
  await until("the customer is answered", async () => (await answered()) > before);
  const all = (await ledger()).filter(({ text }) => text === ANSWER);
  if (all.some(({ chat_id }) => chat_id === CLIENT_2)) fail("event.json answers what the owner writes");
  console.log(`${failures > failed ? "✗" : "✓"} event.json: a message is answered once over a kill at each of ${POINTS.length} points`);
}

// Where Redis listens.
let redisPort;

async function freePort() {
  const server = http.createServer();
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

// The program with channels and Redis; batches of VK are posted to n8n, and what comes in from Avito is as it came.
async function withChannels() {
  await stops();
  redisPort = await freePort();
  spawned("redis-server", ["--port", `${redisPort}`, "--bind", "127.0.0.1", "--save", "", "--dir", work]);
  const credentials = path.join(work, "redis.json");
  fs.writeFileSync(credentials, JSON.stringify([
    { id: "switchboardRedis", name: "Switchboard Redis", type: "redis", data: { host: "127.0.0.1", port: redisPort, database: 0, password: "" } },
  ]));
  const imported = await n8n("import:credentials", `--input=${credentials}`);
  if (!imported.good) throw new Error(imported.output);
  const world = path.join(work, "world");
  fs.mkdirSync(world);
  starts("sandbox", "--data-dir", world);
  const file = path.join(world, "switchboard.toml");
  await until("the sandbox is ready", async () => fs.existsSync(file) && (await fetch(`${CONTROL}/ledger`)).ok);
  const text = fs.readFileSync(file, "utf8")
    .replace('responder = "ai"', 'responder = "off"')
    .replace('channel = "avito"', `channel = "avito"\nforward_to = "${HOOK}-raw"\nforward_format = "raw"`);
  fs.writeFileSync(file, `public_url = "${MAIN}"
${text}
${written}
[queue]
redis = "redis://127.0.0.1:${redisPort}/0"

[[pipeline.rules]]
channel = "vk"
responder = "webhook"

[pipeline.webhook]
url = "${HOOK}-answer"
secret = { env = "ANSWER_SECRET" }
answer_within = "3m"
`);
  starts("up", "--config", file, "--data-dir", path.join(work, "data"));
  await until("the program is ready", async () => (await fetch(`${MAIN}/health/ready`)).ok);
  for (const account of Object.values(ACCOUNTS)) await call("POST", `/v1/channels/${account}/connect`, {});
  // Instagram has no call for it.
  const { url } = await call("GET", `/v1/channels/${ACCOUNTS.instagram}/webhook`);
  const hook = { channel: "instagram", account: ACCOUNTS.instagram, url, verify_token: "planted-verify-token" };
  await control("PUT", "/channels/hooks", hook);
}

// Each old channel port writes once to a customer who wrote, and that of forms takes one once.
async function byAChannelPort() {
  const [file, failed] = ["channel-old-ports.json", failures];
  const heard = async (channel) => (await call("GET", `/v1/messages?direction=in&channel=${channel}`)).items;
  for (const [channel, account] of [["form"], ...Object.entries(ACCOUNTS)]) {
    let to = "+70000000001";
    if (account) {
      // The old server took the number alone.
      to = (await writes("2000002", ASKED, { channel, account })).replace("@c.us", "");
      await until(`the customer has written by ${channel}`, async () => (await heard(channel)).length > 0);
    }
    const words = `Order 7 is ready, says ${channel}.`;
    await takes(file, [
      ['"value": "vk"', `"value": "${channel}"`], ['"value": "2000002"', `"value": "${to}"`], ["Your order 7 is ready.", words],
    ]);
    for (const round of [1, 2]) await runs(file, CHANNEL_PORTS, round);
    const arrived = account
      ? (await ledger()).filter(({ provider, text }) => provider === channel && text === words)
      : (await heard(channel)).filter(({ text }) => text.includes(words));
    if (arrived.length !== 1) fail(`${file}: by ${channel} it arrived ${arrived.length} times`);
  }
  console.log(`${failures > failed ? "✗" : "✓"} ${file}: once by each of ${Object.keys(ACCOUNTS).join(", ")}, and a form`);
}

async function control(method, path, body) {
  const answer = await fetch(`${CONTROL}${path}`, { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const said = await answer.text();
  if (!answer.ok) throw new Error(`the demo world answers ${path} with ${answer.status} ${said}`);
  return said;
}

// A customer of the demo world writes, on VK unless said otherwise; the chat, as its provider names it.
const writes = async (from, text, to = { channel: "vk", account: "club" }) =>
  JSON.parse(await control("POST", "/customers/messages", { ...to, from, name: "Anna", text })).chat_id;

// Three messages in a row are answered once, what asks for a person is left to one, and what is not signed is refused.
async function answersClients() {
  const failed = failures;
  const said = async () => (await ledger()).filter(({ text }) => text?.includes("Sunday")).map(({ text }) => text);
  for (const text of ["Good day.", "Is it open", "on Sunday?"]) await writes("2000003", text);
  await until("the client is answered", async () => (await said()).length > 0);
  const expected = JSON.stringify(["We have it: Good day.\n\nIs it open\n\non Sunday?"]);
  if (JSON.stringify(await said()) !== expected) fail(`the client got ${JSON.stringify(await said())}, not ${expected}`);
  await writes("2000003", "I want an operator");
  await until("a person is to answer", async () => (await call("GET", "/v1/conversations?state=waiting_us&channel=vk")).items.length === 1);
  const unsigned = await fetch(`${HOOK}-answer`, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
  if (unsigned.status !== 401) fail(`a batch without a signature is answered ${unsigned.status}`);
  if ((await said()).length !== 1) fail(`the client was answered ${(await said()).length} times`);
  console.log(`${failures > failed ? "✗" : "✓"} answer.json: a batch is answered once, a person gets the rest`);
}

// A message is taken in once, and a refusal is handed on.
async function handsIn() {
  const failed = failures;
  const hand = async (message) => {
    const answer = await fetch(`${HOOK}-inbound`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(message) });
    return `${answer.status} ${JSON.stringify(await answer.json())}`;
  };
  const message = { channel: "shop", external_chat_id: "42", external_user_id: "42", external_message_id: "m-1", text: "Is it there?" };
  for (const [expected, given] of [["201 ", message], ["200 ", message], ["422 ", { channel: "shop" }]]) {
    const got = await hand(given);
    if (!got.startsWith(expected)) fail(`a message is answered ${got}, not ${expected}`);
  }
  await until("the message is in a conversation", async () => (await call("GET", "/v1/conversations?channel=shop")).items.length === 1);
  console.log(`${failures > failed ? "✗" : "✓"} inbound.json: a message is taken in once`);
}

// What goes through the lists of Redis in the old shapes arrives once.
async function byTheQueues() {
  const failed = failures;
  const taken = await n8n("import:workflow", `--input=${path.join(workflows, "queue-outgoing.json")}`);
  if (!taken.good) throw new Error(`queue-outgoing.json: ${taken.output}`);
  for (const round of [1, 2]) await runs("queue-outgoing.json", QUEUE_OUTGOING, round);
  const text = "Your order 12 is ready.";
  const sent = async () => (await ledger()).filter((effect) => effect.text === text).length;
  await until("queue:outgoing is sent", async () => (await sent()) > 0);
  // Forwarded as it came, and pushed by the workflow as well.
  await writes("2000004", "Is the table still there?", { channel: "avito", account: "shop" });
  // From a server of Avito that is not ours.
  const value = {
    id: "m-77", chat_id: "u2i-other", user_id: 1, author_id: 2, created: 1_760_000_000, type: "text", chat_type: "u2i",
    content: { text: "And the chair?" },
  };
  const raw = JSON.stringify({ id: "w-1", version: "v3.0.0", timestamp: 1_760_000_000, payload: { type: "message", value } });
  for (let times = 0; times < 2; times += 1) {
    const answer = await fetch(`${HOOK}-raw`, { method: "POST", headers: { "content-type": "application/json" }, body: raw });
    if (!answer.ok) fail(`queue-incoming.json: a raw body is answered ${answer.status}`);
  }
  const heard = async () => (await call("GET", "/v1/messages?direction=in&channel=avito")).items.map((message) => message.text).sort();
  await until("all are in conversations", async () => (await heard()).length >= 3);
  await until("it was forwarded", async () => (await call("GET", "/v1/webhooks")).items.some((webhook) => webhook.delivered_at));
  for (const list of ["queue:incoming", "queue:incoming:processing"]) {
    await until(`${list} is empty`, async () => (await bash(`redis-cli -p ${redisPort} llen ${list}`)).trim() === "0");
  }
  const expected = JSON.stringify(["And the chair?", ASKED, "Is the table still there?"]);
  if (JSON.stringify(await heard()) !== expected) fail(`queue-incoming.json: taken in were ${JSON.stringify(await heard())}`);
  if ((await sent()) !== 1) fail(`queue-outgoing.json: it was written ${await sent()} times`);
  console.log(`${failures > failed ? "✗" : "✓"} queue-incoming.json, queue-outgoing.json: each arrives once`);
}

try {
  await until("the program is ready", async () => (await fetch(`${MAIN}/health/ready`)).ok);
  const credentials = path.join(work, "credentials.json");
  fs.writeFileSync(credentials, JSON.stringify([
    { id: "switchboard", name: "Switchboard", type: "httpHeaderAuth", data: { name: "X-API-Key", value: KEY } },
  ]));
  const imported = await n8n("import:credentials", `--input=${credentials}`);
  if (!imported.good) throw new Error(imported.output);
  for (const file of fs.readdirSync(workflows).filter((name) => name.endsWith(".json")).sort()) {
    const text = fs.readFileSync(path.join(workflows, file), "utf8").replaceAll("https://example.com/receipt.txt", receipt);
    const copy = path.join(work, file);
    fs.writeFileSync(copy, text);
    const { id } = JSON.parse(text);
    if (file in WAITING || [CHANNEL_PORTS, QUEUE_OUTGOING].includes(id)) continue;
    const taken = await n8n("import:workflow", `--input=${copy}`);
    if (!taken.good) throw new Error(`${file}: ${taken.output}`);
    const [before, failed] = [(await ledger()).length, failures];
    for (const round of [1, 2]) await runs(file, id, round);
    const effects = (await ledger()).slice(before);
    for (const [method, expected] of Object.entries(EXPECTED[id] ?? {})) {
      const found = effects.filter((effect) => effect.method === method);
      const right = Array.isArray(expected)
        ? JSON.stringify(found.map((effect) => effect.text)) === JSON.stringify(expected)
        : found.length === expected;
      if (!right) fail(`${file}: ${method} is in the ledger as ${JSON.stringify(found)}`);
    }
    if (!(id in EXPECTED)) fail(`${file}: no one says what the workflow ${id} does`);
    console.log(`${failures > failed ? "✗" : "✓"} ${file}: ${effects.map((effect) => effect.method).join(", ")}`);
  }
  await overCutConnections();
  await onRefusals();
  await onAnEvent();
  await overKills();
  await withChannels();
  await byAChannelPort();
  await listen(ANSWER_SECRET, "answer.json", "inbound.json", "queue-incoming.json");
  await answersClients();
  await handsIn();
  await byTheQueues();
} finally {
  for (const child of children) child.kill("SIGTERM");
  files.close();
}
process.exitCode = failures > 0 ? 1 : 0;
