// @ts-check
/** The two pages of the alert receiver, as HTML without scripts. Pure. */

/**
 * @typedef {object} Notification one message of Alertmanager's webhook, with the time of its arrival (ISO 8601)
 * @property {string} receivedAt
 * @property {string} receiver
 * @property {Alert[]} alerts
 *
 * @typedef {object} Alert
 * @property {'firing' | 'resolved'} status
 * @property {Record<string, string>} labels
 * @property {Record<string, string>} annotations
 */

const style = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
  body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
  article { border-left: .4rem solid #888; margin: 1rem 0; padding: .2rem 1rem }
  .firing.page { border-color: #d10e2f } .firing.ticket { border-color: #e07b00 } .resolved { border-color: #2c8a3c }
  h2 { font-size: 1.1rem; margin: 0 } p { margin: .2rem 0 } small { opacity: .75; overflow-wrap: anywhere }
  pre { white-space: pre-wrap; font: .85rem/1.5 monospace } :target { outline: .15rem solid; outline-offset: .5rem }`;

/** @param {readonly Notification[]} notifications the newest first */
export function renderNotifications(notifications) {
  const alerts = notifications.flatMap(({ alerts, receivedAt, receiver }) =>
    alerts.map((alert) => renderAlert(alert, receivedAt, receiver)),
  );
  const list =
    alerts.join('') || '<p>None yet. Prometheus shows what is pending at its own page of alerts.</p>';
  return renderDocument(
    'Alerts received',
    `<meta http-equiv="refresh" content="5">`,
    `<h1>Alerts received</h1>${list}`,
  );
}

/** @param {string} markdown a file of which each `## Heading` becomes a section with the heading, in lower case, as its id */
export function renderRunbook(markdown) {
  const [preface = '', ...sections] = markdown.split(/^## /m);
  const body = sections.map((section) => {
    const [heading = '', ...text] = section.split('\n');
    return `<section id="${toHtml(heading.toLowerCase())}"><h2>${toHtml(heading)}</h2><pre>${toHtml(text.join('\n'))}</pre></section>`;
  });
  return renderDocument('Runbook', '', `<pre>${toHtml(preface)}</pre>${body.join('')}`);
}

/**
 * @param {Alert} alert
 * @param {string} receivedAt
 * @param {string} receiver
 */
function renderAlert({ status, labels, annotations }, receivedAt, receiver) {
  const { alertname = 'alert without a name', severity = '', ...others } = labels;
  const { summary = '', description = '', runbook_url } = annotations;
  // The rules' links are relative to the root of the repository, which is this server's root as well.
  const link = runbook_url && (/^https?:\/\//.test(runbook_url) ? runbook_url : `/${runbook_url}`);
  return `<article class="${toHtml(`${status} ${severity}`)}">
    <h2>${toHtml(status)}: ${toHtml(alertname)}</h2>
    <p>${toHtml(summary)}</p>
    <p>${toHtml(description)}${link ? ` <a href="${toHtml(link)}">Runbook</a>` : ''}</p>
    <small>${toHtml(receivedAt)} to <b>${toHtml(receiver)}</b> ${toHtml(toText(others))}</small>
  </article>`;
}

/** @param {Record<string, string>} labels */
export function toText(labels) {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

/**
 * @param {string} title
 * @param {string} head
 * @param {string} body
 */
function renderDocument(title, head, body) {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">${head}<title>${title}</title><style>${style}</style><body>${body}</body></html>`;
}

/** @param {string} text */
function toHtml(text) {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
