// node-smpp as a puppet: one JSON object a line in, one JSON object a line out.
//
// In:  {"url": …, …}                      connect
//      {"command": …, "fields": {…}}      send a request; its response follows
//      {"close": true}                    hang up
// Out: {"connected": true}, {"response": {…}}, {"request": {…}}, {"closed": true}, {"error": …}
//
// Requests of the message centre are answered with ESME_ROK, unless the last {"answer": status}
// said otherwise; null gives no answer at all. Buffers travel as {"hex": …}.
'use strict';
const readline = require('readline');
const smpp = require('smpp');

let session = null;
let answer = 0;

function tell(what) {
  process.stdout.write(JSON.stringify(what) + '\n');
}

function flat(pdu) {
  const fields = {};
  for (const [name, value] of Object.entries(pdu)) {
    if (name.startsWith('_') || typeof value === 'function') continue;
    fields[name] = out(value);
  }
  return fields;
}

function out(value) {
  if (Buffer.isBuffer(value)) return { hex: value.toString('hex') };
  if (Array.isArray(value)) return value.map(out);
  if (value instanceof Date) return value.toISOString();
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, out(one)]));
  }
  return value;
}

function into(value) {
  if (value === null || typeof value !== 'object') return value;
  if (typeof value.hex === 'string') return Buffer.from(value.hex, 'hex');
  if (Array.isArray(value)) return value.map(into);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, into(one)]));
}

function connect(options) {
  session = smpp.connect(options);
  session.on('secureConnect', () => tell({ connected: true }));
  session.on('connect', () => {
    if (!options.url.startsWith('ssmpp')) tell({ connected: true });
  });
  session.on('close', () => tell({ closed: true }));
  session.on('error', (error) => tell({ error: String(error.message || error) }));
  session.on('pdu', (pdu) => {
    if (pdu.isResponse()) return;
    tell({ request: flat(pdu) });
    if (answer !== null) session.send(pdu.response({ command_status: answer }));
  });
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const what = JSON.parse(line);
  if (what.url) {
    connect(what);
  } else if (what.command) {
    session.send(new smpp.PDU(what.command, into(what.fields)), (pdu) => {
      tell({ response: flat(pdu) });
    });
  } else if ('answer' in what) {
    answer = what.answer;
  } else if (what.close) {
    session.close();
  }
});
