// An SMSC on the npm package `smpp`, which we did not write. It does what a JSON file says:
//
//   node smsc.js CONFIG LEDGER PORT
//
// What becomes of a message depends on the last two digits of its destination (`fates`), so a test
// knows it beforehand. The ledger has one JSON object per line, written before the answer leaves:
// accepted, refused, throttled, receipt (acknowledged), queried, bound, dropped.

'use strict';

const fs = require('fs');
const smpp = require('smpp');

const [configFile, ledgerFile, port] = process.argv.slice(2);
const config = {
  password: 'secret',
  latency_ms: 10,
  receipt_after_ms: 50,
  late_ms: 2000,
  ids: 'decimal', // of answers: decimal or hex
  receipt_ids: 'same', // of receipts: same, hex or decimal
  told_in: 'both', // where receipts tell the id and the state: text, tlv or both
  echo_reference: true,
  answers_queries: true,
  fates: {}, // early, duplicate, late, undelivered, missing, refused: [from, to) of the last two digits
  storm: null, // {after_submits, for_s, share, statuses}
  drop_every: 0, // cut the connection after so many accepted messages, before their answers
  drops: 0, // ... but so often at most
  ...JSON.parse(fs.readFileSync(configFile, 'utf8')),
};

const ledger = fs.openSync(ledgerFile, 'a');
const sessions = new Set();
const known = new Map();
let owed = [];
// Ids of one test never repeat, also after a restart on the same ledger.
let nextId = 1000000 + fs.fstatSync(ledger).size;
let submits = 0;
let accepted = 0;
let drops = 0;
let stormBegan = 0;
let dice = 1;

function note(event, facts) {
  fs.writeSync(ledger, JSON.stringify({ event, at: Date.now() / 1000, ...facts }) + '\n');
}

function roll() {
  dice = (dice * 1103515245 + 12345) % 2147483648;
  return dice / 2147483648;
}

function fated(kind, destination) {
  const [from, to] = config.fates[kind] || [0, 0];
  const last = Number(destination.slice(-2));
  return from <= last && last < to;
}

function written(id, base) {
  return base === 'hex' ? id.toString(16).toUpperCase().padStart(8, '0') : String(id);
}

// A refusal while the storm lasts, else 0; the storm begins with a submit, so tests need no clock.
function weather() {
  const storm = config.storm;
  submits += 1;
  if (!storm) return 0;
  if (!stormBegan && submits > storm.after_submits) stormBegan = Date.now();
  if (!stormBegan || Date.now() - stormBegan > storm.for_s * 1000 || roll() >= storm.share) return 0;
  return smpp[storm.statuses[submits % storm.statuses.length]];
}

function parting(pdu) {
  for (const element of pdu.short_message.udh || []) {
    if (element[0] === 0 && element[1] === 3) return { part: element[4], parts: element[3] };
  }
  return { part: 1, parts: 1 };
}

function submit(session, pdu) {
  const line = {
    destination: pdu.destination_addr,
    source: pdu.source_addr,
    reference: pdu.user_message_reference,
    ...parting(pdu),
  };
  const status = weather();
  if (status) {
    note('throttled', { ...line, status });
    setTimeout(() => answer(session, pdu, { command_status: status }), config.latency_ms);
  } else if (fated('refused', line.destination)) {
    note('refused', { ...line, status: smpp.ESME_RINVDSTADR });
    const refusal = { command_status: smpp.ESME_RINVDSTADR };
    setTimeout(() => answer(session, pdu, refusal), config.latency_ms);
  } else {
    accept(session, pdu, line);
  }
}

function accept(session, pdu, line) {
  const id = nextId++;
  const messageId = written(id, config.ids);
  const delivered = !fated('undelivered', line.destination);
  note('accepted', { ...line, message_id: messageId });
  known.set(messageId, { delivered, at: Date.now() });
  accepted += 1;
  const receipt = { id, pdu, delivered };
  const early = fated('early', line.destination);
  if (early) owe(receipt);
  else if (!fated('missing', line.destination)) {
    const late = fated('late', line.destination) ? config.late_ms : 0;
    setTimeout(() => owe(receipt), config.receipt_after_ms + late);
    if (fated('duplicate', line.destination)) {
      setTimeout(() => owe(receipt), config.receipt_after_ms + 20);
    }
  }
  if (config.drop_every && accepted % config.drop_every === 0 && drops < config.drops) {
    drops += 1;
    note('dropped', {});
    session.destroy();
    return;
  }
  setTimeout(() => answer(session, pdu, { message_id: messageId }), config.latency_ms);
}

function answer(session, pdu, facts) {
  if (sessions.has(session)) session.send(pdu.response(facts));
}

function owe(receipt) {
  owed.push(receipt);
  settle();
}

// Send what is owed through any bound session; what nobody acknowledges is owed again.
function settle() {
  const [session] = sessions;
  if (!session) return;
  const sending = owed;
  owed = [];
  for (const receipt of sending) {
    session.awaiting.add(receipt);
    session.deliver_sm(told(receipt), (reply) => {
      session.awaiting.delete(receipt);
      if (reply.command_status) {
        setTimeout(() => owe(receipt), 500);
      } else {
        note('receipt', { destination: receipt.pdu.destination_addr, delivered: receipt.delivered });
      }
    });
  }
}

function told({ id, pdu, delivered }) {
  const base = config.receipt_ids === 'same' ? config.ids : config.receipt_ids;
  const stat = delivered ? 'DELIVRD' : 'UNDELIV';
  const text =
    `id:${written(id, base)} sub:001 dlvrd:00${delivered ? 1 : 0} submit date:2611220900 ` +
    `done date:2611220901 stat:${stat} err:${delivered ? '000' : '011'} text:`;
  const facts = {
    source_addr: pdu.destination_addr,
    destination_addr: pdu.source_addr,
    esm_class: 4,
    short_message: config.told_in === 'tlv' ? '' : text,
  };
  if (config.told_in !== 'text') {
    facts.receipted_message_id = written(id, base);
    facts.message_state = delivered ? 2 : 5;
  }
  if (config.echo_reference && pdu.user_message_reference !== undefined) {
    facts.user_message_reference = pdu.user_message_reference;
  }
  return facts;
}

function query(session, pdu) {
  const found = known.get(pdu.message_id);
  note('queried', { message_id: pdu.message_id, known: Boolean(found) });
  if (!config.answers_queries) {
    session.send(pdu.response({ command_status: smpp.ESME_RINVCMDID }));
  } else if (!found) {
    session.send(pdu.response({ command_status: smpp.ESME_RQUERYFAIL }));
  } else {
    const message_state = found.delivered ? 2 : 5;
    session.send(pdu.response({ message_id: pdu.message_id, message_state, error_code: 0 }));
  }
}

function bind(session, pdu) {
  if (pdu.password !== config.password) {
    session.send(pdu.response({ command_status: smpp.ESME_RINVPASWD }));
    session.close();
    return;
  }
  note('bound', { system_id: pdu.system_id });
  session.send(pdu.response());
  sessions.add(session);
  settle();
}

function leave(session) {
  sessions.delete(session);
  owed.push(...session.awaiting);
  session.awaiting.clear();
  settle();
}

const server = smpp.createServer((session) => {
  session.awaiting = new Set();
  session.on('bind_transceiver', (pdu) => bind(session, pdu));
  session.on('submit_sm', (pdu) => submit(session, pdu));
  session.on('query_sm', (pdu) => query(session, pdu));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    session.send(pdu.response());
    session.close();
  });
  session.on('error', () => session.destroy());
  session.on('close', () => leave(session));
});

server.listen(Number(port), '127.0.0.1', () => {
  console.log(JSON.stringify({ event: 'listening', port: server.address().port }));
});
process.on('SIGTERM', () => process.exit(0));
