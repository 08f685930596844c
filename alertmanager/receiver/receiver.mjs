// @ts-check
/**
 * A stand-in for the pager: takes the webhooks of Alertmanager, writes a line for each alert and shows the latest on a
 * page. Keeps nothing beyond its memory and forwards nothing. Plain JavaScript without dependencies, so that any Node runs
 * it as it is.
 */
import { createServer } from 'node:http';
import { renderNotifications, renderRunbook, toText } from './page.mjs';

/** @import { IncomingMessage, RequestListener, Server } from 'node:http' */
/** @import { Alert, Notification } from './page.mjs' */

/** Alertmanager sends at most 100 alerts in one message (`max_alerts`), of some 2 KB each. */
const MAX_BODY_BYTES = 1024 * 1024;
const MAX_NOTIFICATIONS = 100;

/**
 * @param {object} options
 * @param {string} options.runbook the Markdown behind `/docs/runbook.md`
 * @param {(line: string) => void} options.log takes one line for each alert
 * @param {() => Date} [options.now]
 * @returns {Server} not listening yet
 */
export function createReceiver({ runbook, log, now = () => new Date() }) {
  /** @type {Notification[]} */
  const notifications = [];

  /** @type {Record<string, Record<string, (request: IncomingMessage) => Promise<Reply> | Reply>>} */
  const routes = {
    '/': { GET: () => html(renderNotifications(notifications)) },
    '/docs/runbook.md': { GET: () => html(renderRunbook(runbook)) },
    '/healthz': { GET: () => text(200, 'ok') },
    '/alerts': {
      async POST(request) {
        const body = await readBody(request);
        if (body === undefined) return text(413, `more than ${MAX_BODY_BYTES} bytes`);
        const message = parseMessage(body);
        if (!message) return text(400, "not a message of Alertmanager's webhook");
        notifications.unshift({ receivedAt: now().toISOString(), ...message });
        notifications.splice(MAX_NOTIFICATIONS);
        for (const alert of message.alerts) log(toLine(alert, message.receiver));
        return text(200, 'taken');
      },
    },
  };

  /** @type {(...pair: Parameters<RequestListener>) => Promise<void>} */
  async function answer(request, response) {
    const methods = routes[(request.url ?? '/').replace(/\?.*/, '')];
    const handle = methods?.[request.method ?? ''];
    const reply = handle
      ? await handle(request)
      : methods
        ? text(405, 'method not allowed')
        : text(404, 'not found');
    // A body that was not read to its end must not be taken for the next request.
    if (reply.status >= 400) response.setHeader('connection', 'close');
    response.writeHead(reply.status, {
      'content-type': reply.type,
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    });
    response.end(reply.body);
  }
  // A client that goes away in the middle of its body gets no answer, and nobody else notices.
  return createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
}

/** @typedef {{ status: number, type: string, body: string }} Reply */

/** @type {(body: string) => Reply} */
const html = (body) => ({ status: 200, type: 'text/html; charset=utf-8', body });
/** @type {(status: number, body: string) => Reply} */
const text = (status, body) => ({ status, type: 'text/plain; charset=utf-8', body: `${body}\n` });

/**
 * @param {IncomingMessage} request
 * @returns {Promise<string | undefined>} undefined when the body is too long
 */
async function readBody(request) {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return undefined;
  const chunks = [];
  let size = 0;
  // Leaving the loop early must not destroy the socket, which still carries the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * @param {string} body see https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
 * @returns {{ receiver: string, alerts: Alert[] } | undefined} undefined when it is something else
 */
function parseMessage(body) {
  try {
    const { receiver, alerts } = JSON.parse(body);
    return typeof receiver === 'string' && Array.isArray(alerts) && alerts.every(isAlert)
      ? { receiver, alerts }
      : undefined;
  } catch {
    return undefined;
  }
}

/** @param {Partial<Alert> | null} alert */
function isAlert(alert) {
  return (
    ['firing', 'resolved'].includes(alert?.status ?? '') &&
    areStrings(alert?.labels) &&
    areStrings(alert?.annotations)
  );
}

/** @param {unknown} record */
function areStrings(record) {
  return (
    typeof record === 'object' &&
    record !== null &&
    Object.values(record).every((value) => typeof value === 'string')
  );
}

/**
 * @param {Alert} alert
 * @param {string} receiver
 */
function toLine({ status, labels, annotations }, receiver) {
  const { alertname = 'alert without a name', ...others } = labels;
  return `${status} ${alertname} to ${receiver}: ${annotations.summary ?? ''} (${toText(others)})`.replace(
    /\s+/g,
    ' ',
  );
}
