"use strict";
// The page of fluxbatch's report and review. Whatever comes from a configuration or the API is put
// into the page as text, never as markup. Pieces of the album call fluxbatch.piece.
(() => {
  let head = JSON.parse(document.body.dataset.head);
  const review = Boolean(head.token);
  document.body.classList.toggle("review", review);

  const $ = (id) => document.getElementById(id);
  /** An element with properties, attributes (those with a dash, and role) and children. */
  const el = (tag, props = {}, ...children) => {
    const e = document.createElement(tag);
    for (const [name, value] of Object.entries(props)) {
      if (value === undefined || value === null || value === false && name !== "async") continue;
      if (name.includes("-") || name === "role") e.setAttribute(name, value === true ? "" : value);
      else e[name] = value;
    }
    e.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
    return e;
  };
  const say = (text) => { $("said").textContent = text; };
  const plural = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;

  // The album.

  let entries = [];
  let byAddress = new Map();
  let users = new Map(); // what is made from an address
  let loaded = 0;

  const fresh = new Set(); // addresses whose picture is another one than when the page was loaded

  const add = (e) => {
    if (fresh.has(e.address) && e.change in { same: 1, earlier: 1 }) e.change = "fresh";
    e.labels ??= {};
    e.from ??= [];
    e.text = [e.address, e.prompt, e.file, e.model, e.note, ...Object.entries(e.labels).map(([k, v]) => `${k}=${v}`)].join("\n").toLowerCase();
    e.rank = entries.length;
    entries.push(e);
    byAddress.set(e.address, e);
    for (const s of e.from) {
      if (!s.address) continue;
      if (!users.has(s.address)) users.set(s.address, []);
      users.get(s.address).push(e.address);
    }
  };

  globalThis.fluxbatch = {
    piece(text) {
      for (const e of JSON.parse(text)) add(e);
      loaded++;
      // The first piece is drawn before the others are read. These are many, and drawn together.
      if (loaded === 1 || loaded === head.pieces) {
        fillFilters();
        arrange();
      }
      if (loaded === 1) {
        requestAnimationFrame(() => setTimeout(() => { for (let i = 1; i < head.pieces; i++) loadPiece(i); }));
      }
      if (loaded === head.pieces) {
        openFromAddress();
        document.documentElement.dataset.ready = head.version || "1";
        performance.mark("ready");
      }
    },
  };

  function loadPiece(i) {
    const version = head.version ? `?v=${head.version}` : "";
    // Not async, so that they run in their order.
    document.head.append(el("script", { async: false, src: `data/${String(i + 1).padStart(4, "0")}.js${version}` }));
  }

  // Filters.

  const changes = {
    fresh: ["Changed just now", "✓"], create: ["Created", "+"], replace: ["Replaced", "-/+"], update: ["Updated", "~"], wait: ["Waiting", "!"],
    destroy: ["Destroyed", "-"], earlier: ["Replaced earlier", "="], same: ["Unchanged", "="],
  };
  const prices = [["0", "Free", (d) => d === 0], ["a", "Up to $0.03", (d) => d > 0 && d <= 0.03], ["b", "$0.03 to $0.10", (d) => d > 0.03 && d <= 0.1], ["c", "Over $0.10", (d) => d > 0.1]];
  const filters = ["change", "model", "label", "price", "grade"];

  function fillFilters() {
    const of = (id, values) => {
      const select = $(`by-${id}`), chosen = select.value;
      const had = new Set(Array.from(select.options, (o) => o.value));
      for (const [value, text] of values) {
        if (!had.has(value)) select.append(el("option", { value, textContent: text }));
      }
      select.value = chosen;
    };
    const labels = new Set(), keys = new Set(), models = new Set(), grades = new Set(), used = new Set();
    for (const e of entries) {
      used.add(e.change);
      if (e.model) models.add(e.model);
      if (e.grade) grades.add(e.grade);
      for (const [k, v] of Object.entries(e.labels)) {
        keys.add(k);
        if (labels.size < 500) labels.add(`${k}=${v}`);
      }
    }
    const same = (set) => [...set].sort().map((v) => [v, v]);
    of("change", Object.entries(changes).filter(([c]) => used.has(c)).map(([c, [text]]) => [c, text]));
    of("model", same(models));
    of("label", same(labels));
    of("grade", same(grades).map(([v]) => [v, v[0].toUpperCase() + v.slice(1)]));
    of("price", prices);
    if (review) of("change", [["marked", "Marked"], ["noted", "With a note"]]);
    const group = $("group"), had = new Set(Array.from(group.options, (o) => o.value));
    for (const k of [...keys].sort()) {
      if (!had.has(`label:${k}`)) group.append(el("option", { value: `label:${k}`, textContent: `Label ${k}` }));
    }
  }

  function matches() {
    const words = $("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const [change, model, label, price, grade] = filters.map((f) => $(`by-${f}`).value);
    const [key, ...rest] = label.split("=");
    const test = price && prices.find((p) => p[0] === price)[2];
    return entries.filter((e) =>
      words.every((w) => e.text.includes(w)) &&
      (!change || (change === "marked" ? e.marked : change === "noted" ? e.note : e.change === change)) &&
      (!model || e.model === model) &&
      (!label || e.labels[key] === rest.join("=")) &&
      (!test || test(e.dollars || 0)) &&
      (!grade || e.grade === grade));
  }

  const narrowed = () => $("find").value.trim() !== "" || filters.some((f) => $(`by-${f}`).value);

  // The sheet: sections of cards, of which only those near the window exist.

  let sections = [];
  const folds = new Map(); // by title, what somebody folded or unfolded
  const gap = 12, wordsHeight = 72;

  function arrange() {
    const shown = matches();
    if ($("order").value === "address") shown.sort((a, b) => (a.address < b.address ? -1 : 1));
    if ($("order").value === "price") shown.sort((a, b) => (b.dollars || 0) - (a.dollars || 0));
    const by = $("group").value, groups = new Map();
    for (const e of shown) {
      const title = titleOf(e, by);
      if (!groups.has(title)) groups.set(title, []);
      groups.get(title).push(e);
    }
    const changed = entries.some((e) => e.change !== "same" && e.change !== "earlier");
    const told = by === "change" ? [...groups] : [...groups].sort((a, b) => a[0].localeCompare(b[0], "en", { numeric: true }));
    const sheet = $("sheet");
    sheet.replaceChildren();
    sections = told.map(([title, items], i) => {
      const quiet = by === "change" && items.every((e) => e.change === "same" || (changed && e.change === "earlier"));
      const folded = folds.get(title) ?? (quiet && told.length > 1 && !narrowed());
      return section(title, items, folded, i);
    });
    sheet.append(...sections.map((s) => s.root));
    if (!shown.length && (loaded || !head.pieces)) sheet.append(el("p", { className: "empty", textContent: entries.length ? "No image matches." : "There are no images yet." }));
    const marked = entries.filter((e) => e.marked).length;
    $("count").textContent = (shown.length === head.images ? plural(head.images, "image") : `${shown.length.toLocaleString("en")} of ${plural(head.images, "image")}`) +
      (marked ? `, ${marked} marked for a new throw` : "") + (loaded < head.pieces ? ", loading" : "");
    measure();
  }

  function titleOf(e, by) {
    if (by === "module") return e.module || "Root module";
    if (by === "block") return e.block;
    if (by.startsWith("label:")) return e.labels[by.slice(6)] ?? "Without this label";
    return changes[e.change][0];
  }

  function section(title, items, folded, i) {
    const cards = el("div", { className: "cards", role: "list", "aria-labelledby": `section-${i}` });
    const button = el("button", { type: "button", id: `section-${i}`, "aria-expanded": String(!folded) }, `${title} `, el("small", {}, String(items.length)));
    const s = { items, folded, cards, live: new Map(), wide: items.some(isPair), root: el("section", {}, el("h2", {}, button), cards) };
    button.addEventListener("click", () => {
      s.folded = !s.folded;
      folds.set(title, s.folded);
      button.setAttribute("aria-expanded", String(!s.folded));
      measure();
    });
    return s;
  }

  const isPair = (e) => Boolean(e.before && e.after) || e.change === "replace";

  /** Lays the cards out for the window's width. */
  function measure() {
    const width = $("sheet").clientWidth - parseFloat(getComputedStyle($("sheet")).paddingLeft) * 2;
    const least = width > 3000 ? 280 : width > 1700 ? 220 : 164;
    const columns = Math.max(1, Math.floor((width + gap) / (least + gap)));
    const column = (width - gap * (columns - 1)) / columns;
    for (const s of sections) {
      const span = s.wide && columns > 1 ? 2 : 1;
      s.perRow = Math.max(1, Math.floor(columns / span));
      s.cardWidth = (width - gap * (s.perRow - 1)) / s.perRow;
      s.frameHeight = s.wide ? Math.min(s.cardWidth / 2, column * 1.4) + 20 : Math.min(s.cardWidth, column * 1.6);
      s.rowHeight = s.frameHeight + wordsHeight + gap;
      const rows = s.folded ? 0 : Math.ceil(s.items.length / s.perRow);
      s.cards.style.height = `${rows * s.rowHeight}px`;
      for (const card of s.live.values()) card.remove();
      s.live.clear();
    }
    draw();
  }

  /** Makes the cards near the window and removes the others. The one in focus stays. */
  function draw() {
    // All is measured before anything is changed, so that the page is laid out once.
    const tops = sections.map((s) => s.cards.getBoundingClientRect().top), height = innerHeight;
    for (const [n, s] of sections.entries()) {
      const top = tops[n], rows = s.folded ? 0 : Math.ceil(s.items.length / s.perRow);
      const first = Math.max(0, Math.floor((-top - 600) / s.rowHeight)), last = Math.min(rows, Math.ceil((height - top + 600) / s.rowHeight));
      const from = first * s.perRow, to = Math.min(s.items.length, last * s.perRow);
      for (const [i, card] of s.live) {
        if ((i < from || i >= to) && !card.contains(document.activeElement)) {
          card.remove();
          s.live.delete(i);
        }
      }
      for (let i = from; i < to; i++) {
        if (!s.live.has(i)) place(s, i);
      }
    }
  }

  function place(s, i) {
    const card = cardOf(s.items[i], s);
    card.setAttribute("aria-setsize", s.items.length);
    card.setAttribute("aria-posinset", i + 1);
    card.style.width = `${s.cardWidth}px`;
    card.style.height = `${s.rowHeight - gap}px`;
    card.style.transform = `translate(${(i % s.perRow) * (s.cardWidth + gap)}px, ${Math.floor(i / s.perRow) * s.rowHeight}px)`;
    // Cards stand in the page in the order in which they are read.
    let next = null, at = Infinity;
    for (const [j, other] of s.live) if (j > i && j < at) { at = j; next = other; }
    s.cards.insertBefore(card, next);
    s.live.set(i, card);
    return card;
  }

  const thumb = (shot, alt = "") => {
    if (!shot?.thumb) return null;
    const img = el("img", { alt, decoding: "async", width: shot.width, height: shot.height });
    img.addEventListener("error", () => img.replaceWith("Cannot be shown"));
    img.src = shot.thumb;
    return img;
  };

  const nothing = (e) => (e.change === "destroy" ? "Destroyed" : e.change === "wait" ? "Waiting" : e.change === "same" ? "No file" : "Not made yet");
  const factsOf = (e) => [e.difference && `differs by ${percent(e.difference.amount)}`, e.price, e.model].filter(Boolean).join(" · ");
  const percent = (x) => `${(x * 100).toFixed(x < 0.1 ? 1 : 0)} %`;

  function cardOf(e, s) {
    const frame = (shot, title) => el("div", { className: title ? "frame titled" : "frame" }, thumb(shot) || el("span", {}, shot ? "Cannot be shown" : title === "Before" ? "No picture" : nothing(e)), title && el("b", {}, title));
    const frames = s.wide && isPair(e) ? [frame(e.before, "Before"), frame(e.after, "After")] : [frame(e.after || e.before, "")];
    const [word, symbol] = changes[e.change];
    const flags = [e.marked && "marked", e.note && "note", e.edited && "edited by hand", e.candidates && `${e.candidates.length} candidates`].filter(Boolean).join(", ");
    // The words name the link; the frames are for the eye alone.
    const link = el("a", { href: `#${encodeURIComponent(e.address)}` },
      el("div", { className: "frames", "aria-hidden": "true" }, frames),
      el("div", { className: "words" }, el("span", { className: "name" }, e.address), " ", el("span", { className: "meta" }, factsOf(e) || "\u00a0"), " ",
        el("span", {}, el("span", { className: e.change }, `${symbol} ${word}`), flags ? ` · ${flags}` : "")));
    link.firstChild.style.height = `${s.frameHeight}px`;
    return el("div", { className: "card", role: "listitem" }, link);
  }

  // Moving through the sheet.

  let current = null;
  const visible = () => sections.filter((s) => !s.folded).flatMap((s) => s.items);

  function focusOn(e) {
    current = e;
    for (const s of sections) {
      const i = s.folded ? -1 : s.items.indexOf(e);
      if (i < 0) continue;
      const card = s.live.get(i) || place(s, i);
      card.scrollIntoView({ block: "nearest" });
      card.firstChild.focus({ preventScroll: true });
      return;
    }
  }

  function step(by) {
    const all = visible();
    if (!all.length) return null;
    const at = all.indexOf(current);
    return all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))];
  }

  // One image.

  const detail = $("detail");
  let mode = "side", cut = 50, zoomed = false, shown = 0;
  const modes = [["side", "Side by side"], ["slide", "Slide"], ["blend", "Blend"], ["difference", "Difference"]];

  function open(e) {
    current = e;
    shown = 0;
    drawDetail();
    if (!detail.open) detail.showModal();
    detail.querySelector(".close").focus({ preventScroll: true });
    const hash = `#${encodeURIComponent(e.address)}`;
    if (location.hash !== hash) history.replaceState(null, "", hash);
  }

  detail.addEventListener("close", () => {
    history.replaceState(null, "", location.pathname + location.search);
    // Who is typing already by then goes on typing.
    if (current && !document.activeElement?.closest("header")) focusOn(current);
  });

  function drawDetail() {
    const e = current;
    const [word, symbol] = changes[e.change];
    const button = (text, act, className) => {
      const b = el("button", { type: "button", className: className || "" }, text);
      b.addEventListener("click", act);
      return b;
    };
    const go = (by) => () => { const next = step(by); if (next) { open(next); say(next.address); } };
    detail.classList.toggle("zoom", zoomed);
    detail.replaceChildren(
      el("div", { className: "bar" },
        button("Previous", go(-1)), button("Next", go(1)),
        el("h2", { id: "address" }, e.address),
        el("span", { className: `chip ${e.change}` }, `${symbol} ${e.told || word}`),
        button("Close", () => detail.close(), "close")),
      el("div", { className: "both" }, viewOf(e), factsPane(e, button)));
  }

  const full = (shot) => shot && (shot.picture || shot.thumb);

  function picture(shot, alt, className = "") {
    if (!full(shot)) return el("div", { className: "none" }, shot ? "The file cannot be shown as a picture." : alt);
    const img = el("img", { src: full(shot), alt, className: `${className} ${shot.picture && shot.width < 200 ? "pixels" : ""}` });
    img.addEventListener("error", () => img.replaceWith(el("div", { className: "none" }, "The file cannot be shown as a picture.")));
    return img;
  }

  const size = (shot) => (shot ? `${shot.width} × ${shot.height}` : "");

  function viewOf(e) {
    const chosen = shown && e.candidates?.find((c) => c.number === shown);
    const after = chosen ? chosen.shot : e.after;
    const before = chosen ? e.after || e.before : e.before;
    const afterName = chosen ? `Candidate ${shown}` : "After", beforeName = chosen ? "Now" : "Before";
    const both = full(before) && full(after);
    const now = both ? mode : "side";
    const figure = (shot, name, alt) => el("figure", {}, el("div", { className: "pic" }, picture(shot, alt)),
      el("figcaption", {}, [name, size(shot)].filter(Boolean).join(", "), shot?.picture ? [" · ", el("a", { href: shot.picture, target: "_blank", rel: "noopener" }, `Open ${name.toLowerCase() || "the picture"}`)] : ""));
    const alt = (name) => `${name} of ${e.address}${e.prompt ? `: ${e.prompt.slice(0, 200)}` : ""}`;
    const stage = el("div", { className: `stage ${now}` });
    const missing = e.missing || "No picture";
    if (now !== "side") {
      stage.append(el("figure", {}, layers(e, now, before, after, alt), el("figcaption", {}, captionOf(e, now, chosen))));
    } else if (isPair(e) || chosen || (before && after)) {
      stage.append(figure(before, beforeName, before ? alt(beforeName) : missing), figure(after, afterName, after ? alt(afterName) : nothing(e)));
    } else {
      stage.append(figure(after || before, "", after || before ? alt("Picture") : nothing(e)));
    }
    stage.style.setProperty("--cut", `${cut}%`);
    if (now === "slide") slides(stage);
    return el("div", { className: "view" }, modesOf(both, now, stage), stage, candidatesOf(e));
  }

  /** Has the edge follow a pointer that is held down. */
  function slides(stage) {
    const pic = stage.querySelector(".pic");
    const follow = (event) => {
      if (!event.buttons || zoomed) return;
      event.preventDefault();
      const box = pic.getBoundingClientRect();
      const range = $("cut");
      range.value = ((event.clientX - box.left) / box.width) * 100;
      range.dispatchEvent(new Event("input"));
    };
    pic.addEventListener("pointerdown", (event) => { pic.setPointerCapture(event.pointerId); follow(event); });
    pic.addEventListener("pointermove", follow);
  }

  function captionOf(e, now, chosen) {
    if (now !== "difference") return now === "slide" ? "Before on the left, after on the right" : "From before to after";
    if (chosen || !e.difference) return "Not measured for this pair; the darker, the more alike";
    const d = e.difference;
    return `Differs by ${percent(d.amount)}: ${percent(d.pixels)} of the pixels, structure ${percent(1 - d.similarity)}${d.reshaped ? ", another shape" : ""}`;
  }

  function layers(e, now, before, after, alt) {
    const box = el("div", { className: "pic" });
    if (now === "difference") {
      box.append(picture(after, alt("After"), "under"));
      if (e.difference && after === e.after) box.append(el("img", { src: e.difference.overlay, alt: "Where the two differ", className: "over" }));
      else {
        const other = picture(before, alt("Before"));
        other.style.mixBlendMode = "difference";
        box.append(other);
      }
      return box;
    }
    box.append(picture(before, alt("Before")), picture(after, alt("After"), "top"));
    if (now === "slide") box.append(el("div", { className: "edge" }));
    return box;
  }

  function modesOf(both, now, stage) {
    const set = el("fieldset", { className: "modes" }, el("legend", { className: "hidden" }, "How to compare"));
    if (both) {
      for (const [value, text] of modes) {
        const radio = el("input", { type: "radio", name: "mode", value, checked: value === now });
        radio.addEventListener("change", () => { mode = value; redraw(`input[value=${value}]`); });
        set.append(el("label", {}, radio, text));
      }
    }
    if (now === "slide" || now === "blend") {
      const range = el("input", { type: "range", id: "cut", min: 0, max: 100, value: cut, "aria-label": now === "slide" ? "Where after begins" : "How much of after" });
      range.addEventListener("input", () => {
        cut = Number(range.value);
        stage.style.setProperty("--cut", `${cut}%`);
      });
      set.append(range);
    }
    const zoom = el("input", { type: "checkbox", checked: zoomed });
    zoom.addEventListener("change", () => { zoomed = zoom.checked; detail.classList.toggle("zoom", zoomed); });
    set.append(el("label", {}, zoom, "Actual size"));
    return set;
  }

  /** Draws again what is open, and puts the focus back. */
  function redraw(selector) {
    const scroll = detail.querySelector(".facts")?.scrollTop;
    const typed = document.activeElement?.id === "note" && [$("note").selectionStart, $("note").selectionEnd];
    drawDetail();
    if (scroll) detail.querySelector(".facts").scrollTop = scroll;
    // Who is typing goes on where they were.
    (detail.querySelector(typed ? "#note" : selector || ".close") || detail.querySelector(".close")).focus({ preventScroll: true });
    if (typed) $("note")?.setSelectionRange(...typed);
  }

  function candidatesOf(e) {
    if (!e.candidates) return null;
    const list = el("ul", { className: "strip" });
    for (const c of e.candidates) {
      const tile = el("button", { type: "button", className: "tile", "data-candidate": c.number, "aria-pressed": String(shown === c.number), "aria-label": `Show candidate ${c.number}` }, thumb(c.shot) || "No file", el("b", {}, String(c.number)));
      tile.addEventListener("click", () => { shown = shown === c.number ? 0 : c.number; redraw(`[data-candidate="${c.number}"]`); });
      const verdicts = (c.verdicts || []).map((v) => el("p", { className: v.passed ? "pass" : "fail" }, `${v.passed ? "✓" : "✗"} ${v.gate}${v.reason ? `: ${v.reason}` : ""}${v.score !== undefined ? ` (${v.score})` : ""}`));
      const pick = el("button", { type: "button", className: "in-review", disabled: ended || e.pinned || (c.used && e.picked), "data-pick": c.number }, c.used && e.picked ? "Picked" : `Pick ${c.number}`);
      pick.addEventListener("click", () => choose(e, c.number));
      list.append(el("li", {}, tile, el("p", {}, [c.used ? (e.picked ? "picked" : "used") : "", c.seed !== undefined ? `seed ${c.seed}` : "no seed", c.price].filter(Boolean).join(", ")), verdicts, pick));
    }
    const how = e.pinned ? "The configuration picks. Change the argument pick in its block." : !review && shown ? ["To pick it, type ", el("code", {}, `fluxbatch pick ${word(e.address)} ${shown}`)] : "";
    return el("div", { className: "candidates", role: "group", "aria-label": "Candidates" }, list, el("p", {}, how));
  }

  const word = (address) => (/^[\w.-]+$/.test(address) ? address : `'${address.replaceAll("'", "'\\''")}'`);

  function factsPane(e, button) {
    const part = (title, ...children) => (children.flat().some(Boolean) ? el("div", {}, el("h3", {}, title), ...children) : null);
    const rows = [["Model", e.model], ["Seed", e.seed], ["Price", e.price], ["Size", size(e.after || e.before)], ["Grade", e.grade],
      ["File", e.file && el("code", {}, e.file)], ["By hand", e.accepted ? "edited and accepted" : e.edited ? "edited, not accepted" : ""], ["Origin", e.simulated ? "simulated" : ""],
      ...Object.entries(e.labels).map(([k, v]) => [`Label ${k}`, v])].filter(([, v]) => v !== undefined && v !== "" && v !== false);
    const prompt = (e.attributes || []).find((a) => a.name === "prompt");
    const others = (e.attributes || []).filter((a) => a.name !== "prompt");
    const changed = others.filter((a) => a.changed), rest = others.filter((a) => !a.changed);
    return el("div", { className: "facts", tabIndex: 0, role: "region", "aria-label": "About the image" },
      e.why?.length ? part("Why", el("p", {}, e.why.map((w) => `${w}.`).join(" "))) : null,
      review && !e.made ? actsOf(e, button) : null,
      part("Prompt", prompt?.words ? el("p", { className: "prompt" }, diffOf(prompt.words)) : e.prompt ? el("p", { className: "prompt" }, e.prompt) : null),
      !e.prompt && prompt ? part("Prompt", el("p", {}, prompt.after)) : null,
      part("Facts", el("dl", {}, rows.flatMap(([k, v]) => [el("dt", {}, k), el("dd", {}, typeof v === "object" ? v : String(v))]))),
      changed.length ? part("What differs", tableOf(changed)) : null,
      part("Made from", tiles(e.from)),
      part(e.made ? "Pages" : "Renditions", tiles(e.renditions || [])),
      part("Used by", tiles((users.get(e.address) || []).map((address) => ({ address })))),
      e.note && !review ? part("Note", el("p", { className: "prompt" }, e.note)) : null,
      rest.length ? el("details", {}, el("summary", {}, `All arguments (${rest.length})`), tableOf(rest)) : null);
  }

  const diffOf = (words) => words.map((w) => (w.k ? el(w.k, {}, w.t) : w.t));

  function tableOf(attributes) {
    return el("table", {}, el("tbody", {}, attributes.map((a) => el("tr", {}, el("th", { scope: "row" }, a.name),
      el("td", {}, a.words ? diffOf(a.words) : a.changed ? [a.before ? el("del", {}, a.before) : "", " ", a.after ? el("ins", {}, a.after) : ""] : a.after)))));
  }

  const mostTiles = 24;

  function tiles(sources) {
    if (!sources.length) return null;
    const items = sources.slice(0, mostTiles).map((s) => {
      const e = byAddress.get(s.address);
      const shot = e ? e.after || e.before : s.shot;
      const name = s.address || s.name;
      const inside = thumb(shot) || "No picture";
      if (!e) return el("li", {}, el("div", { className: "tile" }, inside), el("p", {}, name));
      const tile = el("button", { type: "button", className: "tile", "aria-label": `Open ${name}` }, inside);
      tile.addEventListener("click", () => open(e));
      return el("li", {}, tile, el("p", {}, name));
    });
    const more = sources.length - items.length;
    return [el("ul", { className: "strip" }, items), more > 0 ? el("p", {}, `and ${more} more`) : null];
  }

  // Acting, in review.

  let ended = false;
  const drafts = new Map(); // notes by address that are not saved yet

  function actsOf(e, button) {
    const act = (text, what, disabled) => {
      const b = button(text, () => post({ do: what, address: e.address }, `[data-do=${what}]`));
      b.dataset.do = what;
      b.disabled = ended || Boolean(disabled);
      return b;
    };
    const note = el("textarea", { id: "note", value: drafts.get(e.address) ?? e.note ?? "", maxLength: 4000, readOnly: ended });
    note.addEventListener("input", () => drafts.set(e.address, note.value));
    const save = button("Save the note", () => post({ do: "note", address: e.address, note: note.value }, "#note"));
    save.disabled = ended;
    return el("div", { className: "acts" },
      act(e.marked ? "Unmark" : e.candidates ? "One more candidate" : "Mark for a new throw", e.marked ? "unmark" : "mark", e.change === "destroy" || e.change === "create"),
      e.wanted ? act("No further candidates", "unwant") : null,
      e.restorable ? act("Restore the former picture", "restore") : null,
      e.accepted ? act("Go back to the generated file", "unaccept") : act("Accept the edited file", "accept", !e.edited),
      el("label", { className: "note said" }, "Note", note), save,
      e.wanted ? el("p", { className: "said" }, `${e.wanted} more to come with the next apply, whose plan says at what price.`) : null,
      e.marked ? el("p", { className: "said" }, "Marked. The next apply generates it again, and its plan says at what price.") : null);
  }

  const choose = (e, number) => post({ do: "pick", address: e.address, number }, `[data-candidate="${number}"]`);

  async function post(request, focus) {
    if (ended) return;
    let answer;
    try {
      const response = await fetch("act", { method: "POST", headers: { "Content-Type": "application/json", "X-Fluxbatch-Token": head.token }, body: JSON.stringify(request) });
      const text = await response.text();
      answer = text.startsWith("{") ? JSON.parse(text) : { error: text };
    } catch {
      return end();
    }
    if (request.do === "note" && !answer.error) drafts.delete(request.address);
    banner(answer.error || answer.said, Boolean(answer.error));
    say(answer.error || answer.said);
    if (answer.version && answer.version !== head.version) await reload(focus);
  }

  function banner(text, stays) {
    $("banner").textContent = text;
    $("banner").hidden = !text;
    clearTimeout(banner.timer);
    const inDetail = detail.querySelector(".bar");
    detail.querySelector(".told")?.remove();
    if (inDetail && text) inDetail.after(el("p", { className: "told modes" }, text));
    if (!stays) banner.timer = setTimeout(() => banner("", true), 12000);
  }

  function end() {
    if (ended) return;
    ended = true;
    if (detail.open) redraw();
    banner("The review has ended. What you see is as it was. To act, run fluxbatch review again.", true);
  }

  /** Fetches the album again, and keeps what is open, where it is scrolled to and what is in focus. */
  async function reload(focus) {
    const response = await fetch("head", { headers: { "X-Fluxbatch-Token": head.token } });
    if (!response.ok) return end();
    const next = await response.json();
    if (next.version === head.version) return;
    const texts = await Promise.all(Array.from({ length: next.pieces }, (_, i) => fetch(`data/${String(i + 1).padStart(4, "0")}.js?v=${next.version}`).then((r) => r.text())));
    head = next;
    const scroll = scrollY, address = current?.address, inSheet = document.activeElement?.closest?.(".card");
    const all = texts.flatMap((text) => JSON.parse(JSON.parse(text.slice(text.indexOf("(") + 1, text.lastIndexOf(")")))));
    for (const e of all) {
      const known = byAddress.get(e.address);
      if (known && e.after && e.after.picture !== known.after?.picture) fresh.add(e.address);
    }
    entries = [];
    byAddress = new Map();
    users = new Map();
    for (const e of [...all.filter((e) => fresh.has(e.address)), ...all.filter((e) => !fresh.has(e.address))]) add(e);
    loaded = head.pieces;
    showHead();
    fillFilters();
    arrange();
    scrollTo(0, scroll);
    current = byAddress.get(address) || null;
    if (detail.open) {
      const told = detail.querySelector(".told")?.textContent;
      if (current) redraw(focus); else detail.close();
      if (told) banner(told, false);
    } else if (inSheet && current) focusOn(current);
    document.documentElement.dataset.ready = head.version;
  }

  async function follow() {
    if (ended) return;
    if (document.visibilityState === "visible") {
      try {
        const response = await fetch("status", { headers: { "X-Fluxbatch-Token": head.token } });
        if (!response.ok) return end();
        const status = await response.json();
        if (status.busy !== follow.busy) {
          follow.busy = status.busy;
          banner(status.busy, true);
          showHead();
        }
        if (status.version !== head.version) await reload();
      } catch {
        return end();
      }
    }
    setTimeout(follow, 1500);
  }

  // Keys.

  const keysOn = () => $("keys-on").checked;
  try { $("keys-on").checked = localStorage.getItem("fluxbatch-keys") !== "off"; } catch { /* a page from disk may have no storage */ }
  $("keys-on").addEventListener("change", () => {
    try { localStorage.setItem("fluxbatch-keys", keysOn() ? "on" : "off"); } catch { /* it holds for this visit */ }
  });
  $("keys").addEventListener("click", () => $("help").showModal());

  // A key that was acted on does nothing more, whatever is in focus by then.
  let acted = false;
  addEventListener("keydown", () => { acted = false; }, true);
  addEventListener("keypress", (event) => { if (acted) event.preventDefault(); }, true);

  const openCard = (event) => {
    const card = event.target.closest(".card");
    if (!card || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    for (const s of sections) for (const [i, c] of s.live) if (c === card) current = s.items[i];
    event.preventDefault();
    acted = event.type === "keydown";
    open(current);
  };
  $("sheet").addEventListener("click", openCard);
  $("sheet").addEventListener("keydown", (event) => { if (event.key === "Enter") openCard(event); });

  addEventListener("keydown", (event) => {
    const target = event.target;
    const typing = target.matches?.("textarea, select, input:not([type=radio], [type=checkbox], [type=range])");
    if (event.ctrlKey || event.metaKey || event.altKey || typing || !keysOn() || $("help").open) return;
    const inDetail = detail.open, key = event.key;
    const onControl = target.matches?.("button, input, summary, textarea");
    if (key === "j" || key === "k") {
      const next = step(key === "j" ? 1 : -1);
      if (next && inDetail) { open(next); say(next.address); } else if (next) focusOn(next);
    } else if (key === "/" && !inDetail) {
      $("find").focus();
    } else if (key === " " && inDetail && !(onControl && !target.matches(".close, [type=radio]"))) {
      const radios = [...detail.querySelectorAll("input[name=mode]")];
      if (!radios.length) return;
      mode = modes[(modes.findIndex(([m]) => m === mode) + 1) % modes.length][0];
      redraw(`input[value=${mode}]`);
      say(modes.find(([m]) => m === mode)[1]);
    } else if (key === " " && target.closest?.(".card") && current) {
      open(current);
    } else if (key === "z" && inDetail) {
      zoomed = !zoomed;
      redraw();
    } else if (/^[1-9]$/.test(key) && current?.candidates && !target.matches?.("[type=range]")) {
      const number = Number(key);
      if (!current.candidates.some((c) => c.number === number)) return;
      if (review && !current.pinned) choose(current, number);
      else if (inDetail) { shown = number; redraw(`[data-candidate="${number}"]`); } else { open(current); shown = number; redraw(`[data-candidate="${number}"]`); }
    } else if (key === "?") {
      $("help").showModal();
    } else return;
    event.preventDefault();
    acted = true;
  });

  document.addEventListener("focusin", (event) => {
    const card = event.target.closest?.(".card");
    for (const s of card ? sections : []) for (const [i, c] of s.live) if (c === card) current = s.items[i];
  });

  function openFromAddress() {
    const e = byAddress.get(decodeURIComponent(location.hash.slice(1)));
    if (e) open(e);
  }

  function showHead() {
    // While an apply is at work, what its plan still has to do says little.
    const busy = review && follow.busy;
    $("summary").textContent = [!busy && head.summary, !busy && head.compared, head.simulated ? "A simulation: nothing was charged." : ""].filter(Boolean).join(" ");
  }

  addEventListener("hashchange", openFromAddress);
  let drawing = false;
  addEventListener("scroll", () => {
    if (drawing) return;
    drawing = true;
    requestAnimationFrame(() => { drawing = false; draw(); });
  }, { passive: true });
  let lastWidth = 0;
  new ResizeObserver(() => {
    if ($("sheet").clientWidth !== lastWidth) measure();
    lastWidth = $("sheet").clientWidth;
  }).observe($("sheet"));
  let typing;
  $("find").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(arrange, 80); });
  $("find").addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === "Escape") { arrange(); $("find").blur(); current = null; const first = step(1); if (first && event.key === "Enter") focusOn(first); }
  });
  for (const id of [...filters.map((f) => `by-${f}`), "group", "order"]) $(id).addEventListener("change", arrange);

  showHead();
  if (!head.pieces) arrange();
  if (review) setTimeout(follow, 1500);
})();
