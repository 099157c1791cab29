// What makes the pages better where scripts run: they follow what happens,
// commands can be copied, arrow keys work. Everything works without.
(() => {
  'use strict';

  // Texts are in the page's language: body has those that differ from their English key.
  const texts = JSON.parse(document.body.dataset.texts || '{}'), locale = document.documentElement.lang === 'de' ? 'de-DE' : 'en-GB';
  const numbers = new Intl.NumberFormat(locale);
  const t = (key, value) => {
    const text = texts[key] ?? key, form = Array.isArray(text) ? text[value === 1 ? 0 : 1] : text;
    return form.replace(/%[ds]/, () => typeof value === 'number' ? numbers.format(value) : value);
  };

  // Times are the server's until here; now they become the reader's.
  const short = locale === 'de-DE' ? { day: '2-digit', month: '2-digit' } : { day: 'numeric', month: 'short' };
  const formats = {
    at: new Intl.DateTimeFormat(locale, { ...short, year: 'numeric', hour: '2-digit', minute: '2-digit' }),
    clock: new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' }),
    day: new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
  };
  const written = (kind, date) => {
    const text = formats[kind].format(date);
    return kind === 'at' && locale === 'de-DE' ? text.replace(',', '') : text;
  };
  const ago = (time) => {
    const s = (Date.now() - time) / 1000;
    for (const [unit, text] of [[86400, '%d days ago'], [3600, '%d hours ago'], [60, '%d minutes ago'], [1, '%d seconds ago']]) {
      const n = Math.floor(s / unit);
      if (n >= 1 && (unit !== 1 || n >= 2)) return t(text, n);
    }
    return t('just now');
  };
  const times = (root) => {
    for (const e of root.querySelectorAll('time[datetime]')) {
      const time = new Date(e.dateTime);
      if ('ago' in e.dataset) {
        e.textContent = ago(time);
        e.title = written('at', time);
      } else {
        for (const kind in formats) if (kind in e.dataset) e.textContent = written(kind, time);
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
      const at = event.querySelector('time').dateTime, text = written('day', new Date(at));
      if (text === last) continue;
      const day = model.cloneNode(true), time = day.querySelector('time');
      time.dateTime = at;
      time.textContent = last = text;
      list.insertBefore(day, event);
    }
  };

  // Buttons that need a script are hidden without one.
  const buttons = (root) => {
    for (const b of root.querySelectorAll('[data-copy], [data-close], [data-all], [data-none], [data-print]')) b.hidden = false;
    const chosen = root.getElementById('chosen');
    if (chosen) chosen.hidden = !document.querySelector('.pick:checked');
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
  // What was just done stays until somebody closes it or goes on; a page that is loaded
  // again, or whose address is passed on, does not say it again.
  const here = new URL(location.href);
  if (here.searchParams.has('done')) {
    here.searchParams.delete('done');
    history.replaceState(history.state, '', here);
  }
  document.addEventListener('click', (event) => {
    const b = event.target.closest('[data-close]');
    if (!b) return;
    b.closest('.done').remove();
    document.getElementById('main').focus();
  });
  document.addEventListener('click', (event) => { if (event.target.closest('[data-print]')) print(); });
  document.addEventListener('click', async (event) => {
    const b = event.target.closest('[data-copy]');
    if (!b) return;
    await copy(b.dataset.copy);
    b.focus();
    b.classList.add('copied');
    say(t('Copied'));
    setTimeout(() => b.classList.remove('copied'), 1500);
  });

  // Many photos at once: shift and a click ticks all from the last one, Ctrl-A all here.
  const picks = () => [...document.querySelectorAll('.pick')];
  const counted = () => {
    const chosen = document.getElementById('chosen'), n = picks().filter((p) => p.checked).length;
    if (!chosen) return;
    chosen.hidden = n === 0;
    const text = t('%d photos selected', n), p = chosen.querySelector('[data-count]');
    if (p.textContent !== text) p.textContent = text;
  };
  const tick = (all, checked) => { for (const p of all) p.checked = checked; counted(); };
  let lastPick = null;
  document.addEventListener('click', (event) => {
    if (event.target.closest('[data-all]')) { tick(picks(), true); document.querySelector('#chosen button')?.focus(); }
    if (event.target.closest('[data-none]')) { tick(picks(), false); document.querySelector('[data-all]')?.focus(); }
    const pick = event.target.closest('.pick');
    if (!pick) return;
    const all = picks(), i = all.indexOf(pick), j = all.findIndex((p) => p.value === lastPick);
    if (event.shiftKey && j >= 0) tick(all.slice(Math.min(i, j), Math.max(i, j) + 1), pick.checked);
    lastPick = pick.value;
    counted();
  });
  document.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === 'a' && picks().length && !event.target.closest('input:not(.pick), select, textarea')) {
      event.preventDefault();
      tick(picks(), true);
    }
  });
  window.addEventListener('pageshow', counted); // a browser that comes back keeps the ticks

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
  let busy = false, again = false, heard = Date.now();
  const refresh = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.href, { headers: { 'X-Live': '1' }, cache: 'no-store' });
      if (answer.redirected) { location.reload(); return; } // logged out meanwhile
      if (!answer.ok) return;
      answers();
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      times(page);
      buttons(page);
      const before = document.querySelector('[data-news]')?.textContent;
      const done = document.querySelector('main > .done'), place = page.querySelector('main > .done');
      if (place && done) place.replaceWith(done.cloneNode(true));
      else if (place) place.remove();
      else if (done) page.getElementById('alerts')?.after('\n', done.cloneNode(true));
      const lost = document.getElementById('lost');
      if (lost) page.getElementById('lost')?.replaceWith(lost.cloneNode(true));
      for (const id of ['nav', 'main']) {
        const old = document.getElementById(id), now = page.getElementById(id);
        if (old && now) morph(old, now);
      }
      counted();
      body.dataset.mark = page.body.dataset.mark || '';
      const after = document.querySelector('[data-news]')?.textContent;
      if (after && after !== before) say(after);
    } catch {
      // The next change mark tries again.
    } finally {
      busy = false;
      if (again) { again = false; setTimeout(refresh, 1000); }
    }
  };

  // One stream per page that somebody looks at: browsers have only six for all.
  let stream = null;
  const answers = () => {
    heard = Date.now();
    const lost = document.getElementById('lost');
    if (!lost || lost.hidden) return;
    lost.hidden = true;
    lost.textContent = '';
    refresh();
  };
  // A page that hears nothing shows what was, and must not look like what is.
  const silent = () => {
    const lost = document.getElementById('lost');
    if (!lost || !lost.hidden || document.hidden || Date.now() - heard < 4000) return;
    const time = new Intl.DateTimeFormat(locale, { timeStyle: 'medium' }).format(heard);
    lost.textContent = t('picdayd does not answer: it was stopped, or the connection is gone. This page shows how it was at %s.', time);
    lost.hidden = false;
  };
  const follow = () => {
    if (document.hidden) {
      stream?.close();
      stream = null;
    } else if (!stream) {
      heard = Date.now(); // nothing could be heard while nobody looked
      stream = new EventSource('/events?follow=' + encodeURIComponent(body.dataset.follows));
      stream.onopen = answers;
      stream.addEventListener('alive', answers);
      stream.onmessage = (event) => { answers(); if (event.data !== body.dataset.mark) refresh(); };
      // Refused: logged out, as the page will hear when it asks, or a web server in front
      // says that picdayd is not there, or too many pages are open.
      stream.onerror = () => {
        if (stream?.readyState !== EventSource.CLOSED) return;
        stream = null;
        refresh();
        setTimeout(follow, 2000);
      };
    }
  };
  if (body.dataset.follows) {
    document.addEventListener('visibilitychange', follow);
    window.addEventListener('pagehide', () => { stream?.close(); stream = null; });
    window.addEventListener('pageshow', follow);
    follow();
    setInterval(silent, 500);
  }

  // Arrow keys: between photos, and between tiles.
  const grids = '[data-grid] a.tile, .strip a.tile, .albums a.album';
  document.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target.closest('input:not(.pick), select, textarea')) return;
    if (event.key === '/') {
      const field = document.querySelector('main input[type=search]') ?? document.getElementById('find');
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
