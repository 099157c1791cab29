// What makes the pages better where scripts run: they follow what happens,
// commands can be copied, arrow keys work. Everything works without.
(() => {
  'use strict';

  // Times are the server's until here; now they become the reader's.
  const formats = {
    at: new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' }),
    clock: new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' }),
    day: new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
  };
  const ago = (t) => {
    const s = (Date.now() - t) / 1000;
    for (const [unit, noun] of [[86400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']]) {
      const n = Math.floor(s / unit);
      if (n >= 1 && (noun !== 'second' || n >= 2)) return n + ' ' + noun + (n === 1 ? '' : 's') + ' ago';
    }
    return 'just now';
  };
  const times = (root) => {
    for (const e of root.querySelectorAll('time[datetime]')) {
      const t = new Date(e.dateTime);
      if ('ago' in e.dataset) {
        e.textContent = ago(t);
        e.title = formats.at.format(t);
      } else {
        for (const kind in formats) if (kind in e.dataset) e.textContent = formats[kind].format(t);
      }
    }
    for (const list of root.querySelectorAll('ul.events')) days(list);
  };
  // Another zone has its midnight elsewhere in the list.
  const days = (list) => {
    const model = list.querySelector('.day');
    let last = '';
    for (const day of list.querySelectorAll('.day')) day.remove();
    for (const event of list.querySelectorAll('.event')) {
      const at = event.querySelector('time').dateTime, text = formats.day.format(new Date(at));
      if (text === last) continue;
      const day = model.cloneNode(true), time = day.querySelector('time');
      time.dateTime = at;
      time.textContent = last = text;
      list.insertBefore(day, event);
    }
  };

  // Buttons that need a script are hidden without one.
  const buttons = (root) => {
    for (const b of root.querySelectorAll('[data-copy]')) b.hidden = false;
  };
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Over plain HTTP there is no clipboard but the old way to it.
      const field = document.createElement('textarea');
      field.value = text;
      field.className = 'unseen';
      document.body.append(field);
      field.select();
      document.execCommand('copy');
      field.remove();
    }
  };
  const news = document.getElementById('news');
  const say = (text) => { if (news) news.textContent = text; };
  document.addEventListener('click', async (event) => {
    const b = event.target.closest('[data-copy]');
    if (!b) return;
    await copy(b.dataset.copy);
    b.focus();
    b.classList.add('copied');
    say('Copied');
    setTimeout(() => b.classList.remove('copied'), 1500);
  });

  // Make one tree like another, touching only what differs, so that scroll,
  // focus, open details and loaded pictures stay.
  const same = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || '') === (b.id || '');
  const morph = (old, now) => {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue !== now.nodeValue) old.nodeValue = now.nodeValue;
      return;
    }
    if (old.isEqualNode(now)) return;
    for (const { name } of [...old.attributes]) {
      if (!now.hasAttribute(name) && !(name === 'open' && old.nodeName === 'DETAILS')) old.removeAttribute(name);
    }
    for (const { name, value } of now.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    children(old, now);
  };
  const children = (old, now) => {
    const byId = new Map();
    for (const c of old.children) if (c.id) byId.set(c.id, c);
    let at = old.firstChild;
    for (const want of [...now.childNodes]) {
      const known = want.id && byId.get(want.id);
      if (known) {
        if (known !== at) old.insertBefore(known, at); else at = at.nextSibling;
        morph(known, want);
        byId.delete(want.id);
      } else if (at && !at.id && same(at, want)) {
        const next = at.nextSibling;
        morph(at, want);
        at = next;
      } else {
        const fresh = document.importNode(want, true);
        old.insertBefore(fresh, at);
        if (fresh.id && fresh.classList) fresh.classList.add('fresh');
      }
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  };

  const body = document.body;
  let busy = false, again = false;
  const refresh = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.href, { headers: { 'X-Live': '1' }, cache: 'no-store' });
      if (answer.redirected) { location.reload(); return; } // logged out meanwhile
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      times(page);
      buttons(page);
      const before = document.querySelector('[data-news]')?.textContent;
      page.querySelector('main > .done')?.remove();
      for (const id of ['nav', 'main']) {
        const old = document.getElementById(id), now = page.getElementById(id);
        if (old && now) morph(old, now);
      }
      body.dataset.pulse = page.body.dataset.pulse || '';
      const after = document.querySelector('[data-news]')?.textContent;
      if (after && after !== before) say(after);
    } catch {
      // The next pulse tries again.
    } finally {
      busy = false;
      if (again) { again = false; setTimeout(refresh, 1000); }
    }
  };

  // One stream per page that somebody looks at: browsers have only six for all.
  let stream = null;
  const follow = () => {
    if (document.hidden) {
      stream?.close();
      stream = null;
    } else if (!stream) {
      stream = new EventSource('/events?follow=' + encodeURIComponent(body.dataset.follows));
      stream.onmessage = (event) => { if (event.data !== body.dataset.pulse) refresh(); };
      // Refused for good: logged out, as the page will hear when it asks.
      stream.onerror = () => { if (stream?.readyState === EventSource.CLOSED) { stream = null; refresh(); } };
    }
  };
  if (body.dataset.follows) {
    document.addEventListener('visibilitychange', follow);
    window.addEventListener('pagehide', () => { stream?.close(); stream = null; });
    window.addEventListener('pageshow', follow);
    follow();
  }

  // Arrow keys: between photos, and between tiles.
  const grids = '[data-grid] a.tile, .strip a.tile, .albums a.album';
  document.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target.closest('input, select, textarea')) return;
    if (event.key === '/') {
      const field = document.querySelector('main input[type=search]');
      if (field) { event.preventDefault(); field.focus(); field.select(); }
      return;
    }
    const tile = event.target.closest(grids);
    if (tile) {
      const all = [...tile.closest('[data-grid], .strip, .albums').querySelectorAll(grids)];
      const i = all.indexOf(tile);
      let to = null;
      if (event.key === 'ArrowRight') to = all[i + 1];
      if (event.key === 'ArrowLeft') to = all[i - 1];
      if (event.key === 'Home') to = all[0];
      if (event.key === 'End') to = all[all.length - 1];
      if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
        const x = (e) => { const r = e.getBoundingClientRect(); return r.left + r.width / 2; };
        const y = (e) => e.getBoundingClientRect().top;
        const down = event.key === 'ArrowDown';
        const rows = all.filter((e) => down ? y(e) > y(tile) + 4 : y(e) < y(tile) - 4);
        const row = rows.length && (down ? Math.min(...rows.map(y)) : Math.max(...rows.map(y)));
        to = rows.filter((e) => Math.abs(y(e) - row) < 4).sort((a, b) => Math.abs(x(a) - x(tile)) - Math.abs(x(b) - x(tile)))[0];
      }
      if (to) { event.preventDefault(); to.focus(); }
      return;
    }
    const link = { ArrowLeft: 'main [rel=prev]', ArrowRight: 'main .beside [rel=next]', Escape: 'main [data-up]' }[event.key];
    if (link) document.querySelector(link)?.click();
  });

  times(document);
  buttons(document);
  setInterval(() => times(document), 15000);
})();
