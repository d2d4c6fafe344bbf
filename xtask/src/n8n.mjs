// Imports the workflows of a folder into n8n, runs each of them twice against the program with a demo world, and compares the
// ledger of that world; the one that an event starts runs as a section of the quick start has it, typed as written.
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

// Each effect that a workflow has, however often it runs.
const EXPECTED = {
  switchboardSend: { "messages.sendMessage": ["Your order 7 is ready."] },
  switchboardChat: { "channels.createChannel": 1, "messages.sendMessage": ["Your order is here."], "messages.sendMedia": 1 },
  switchboardOldPorts: { "channels.createChannel": 1, "messages.sendMessage": ["Your order is here."], "messages.sendMedia": 1 },
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
const files = http.createServer((_, answer) => answer.end("A receipt"));
await new Promise((listening) => files.listen(0, "127.0.0.1", listening));
const receipt = `http://127.0.0.1:${files.address().port}/receipt.txt`;

// The blocks of the section, each with its language.
const section = fs.readFileSync(quickStart, "utf8").split("\n## A flow in n8n\n")[1].split("\n## ")[0];
const blocks = [...section.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, text]) => ({ language, text }));
const written = blocks.find(({ language }) => language === "toml").text;

const settings = path.join(work, "switchboard.toml");
fs.writeFileSync(settings, `[media]\nallow_private = ["127.0.0.0/8"]\n${written}`);
const children = [];
const running = spawn(program, ["up", "--sandbox", "--config", settings], {
  env: { ...process.env, SWITCHBOARD_BOOTSTRAP_KEY: KEY }, stdio: ["ignore", "ignore", "inherit"],
});
children.push(running);

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

// Whether what stands between the `…` is in the text, in order.
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

const call = async (method, path) =>
  (await fetch(`${MAIN}${path}`, { method, headers: { "X-API-Key": KEY } })).json();

// Imports the workflow with the secret in it, makes it active, and starts n8n.
async function listen(secret) {
  const copy = path.join(work, "event.json");
  const text = fs.readFileSync(path.join(workflows, "event.json"), "utf8");
  fs.writeFileSync(copy, text.replace("whsec_PUT_YOURS_HERE", secret));
  for (const args of [["import:workflow", `--input=${copy}`], ["update:workflow", `--id=${EVENT}`, "--active=true"]]) {
    const { good, output } = await n8n(...args);
    if (!good) throw new Error(`event.json: ${output}`);
  }
  const log = fs.openSync(path.join(work, "n8n.log"), "w");
  const child = spawn(process.execPath, [N8N, "start"], { env, stdio: ["ignore", log, log] });
  children.push(child);
  await until("n8n listens", async () => (await fetch(HOOK, { method: "POST" })).status !== 404);
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
      await listen(secret);
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
    if (id === EVENT) continue;
    const taken = await n8n("import:workflow", `--input=${copy}`);
    if (!taken.good) throw new Error(`${file}: ${taken.output}`);
    const [before, failed] = [(await ledger()).length, failures];
    for (const round of [1, 2]) {
      const { good, output } = await n8n("execute", `--id=${id}`);
      if (!good || !output.includes("Execution was successful")) fail(`${file}, run ${round}: ${output.slice(-1500)}`);
    }
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
  await onAnEvent();
} finally {
  for (const child of children) child.kill("SIGTERM");
  files.close();
}
process.exitCode = failures > 0 ? 1 : 0;
