"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const element = (id) => document.getElementById(id);
const place = (name) => Number(element(name).value);
const write = (id, text) => { element(id).textContent = text; };

// A marker is drawn by Python at one place: this moves its line, and its point if it has one.
function mark(name, x, y) {
  const line = document.querySelector(`#${name}-marker path`);
  line.setAttribute("d", line.getAttribute("d").replace(/^M[\d.]+/, `M${x}`));
  const point = document.querySelector(`#${name}-marker circle`);
  if (point) { point.setAttribute("cx", x); point.setAttribute("cy", y); }
}

function showBudget() {
  const at = place("n");
  const curve = data.curves[data.names.reduce((index, name) => index * data.counts[name] + place(name), 0)];
  element("terms-frame").innerHTML = data.frames[place("noise")];
  element("terms-layer").innerHTML = curve.terms;
  element("risk-layer").innerHTML = curve.risk;
  mark("terms", data.across[at]);
  mark("risk", data.across[at], curve.heights[at]);
  const texts = curve.texts[at], largest = texts[10];
  data.terms.forEach((name, k) => {
    write(`value-${name}`, texts[k]);
    write(`share-${name}`, texts[6 + k]);
    element(`bar-${name}`).style.flexGrow = texts[6 + k];
  });
  write("value-total", texts[4]);
  write("value-theory", texts[5]);
  write("cliff", curve.cliff);
  write("at-n", data.n[at]);
  write("largest", largest || "none, the learner is exact");
  write("remedy", largest ? ` (${data.remedies[largest]})` : "");
}

function showLaw() {
  const at = place("budgets"), goal = place("goals");
  mark("sizes", data.law.across[at]);
  mark("error", data.law.across[at]);
  write("budget", data.knobs.budgets[at]);
  data.law.optima[at].forEach((text, k) => write(`optimum-${k}`, text));
  write("goal", data.knobs.goals[goal]);
  data.law.plans[goal].forEach((text, k) => write(`plan-${k}`, text));
}

for (const [name, texts] of Object.entries(data.knobs)) {
  const slider = element(name);
  const show = () => {
    write(`shown-${name}`, texts[place(name)]);
    slider.setAttribute("aria-valuetext", texts[place(name)]);
  };
  slider.addEventListener("input", () => { show(); (name in data.law.knobs ? showLaw : showBudget)(); });
  show(); // a browser may keep positions when it loads the page again
}
showBudget();
showLaw();

const tabs = [...document.querySelectorAll("[role=tab]")];
function choose(chosen) {
  for (const tab of tabs) {
    const selected = tab === chosen;
    tab.setAttribute("aria-selected", selected);
    tab.tabIndex = selected ? 0 : -1;
    element(tab.getAttribute("aria-controls")).hidden = !selected;
  }
}
for (const tab of tabs) {
  tab.addEventListener("click", () => choose(tab));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
    choose(next);
    next.focus();
  });
}
