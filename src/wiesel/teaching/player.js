"use strict";
const { steps, labels } = JSON.parse(document.getElementById("data").textContent);
const part = (id) => document.getElementById(id);
let place = 0;
let timer = 0;

function show(number, aloud = true) {
  place = Math.max(0, Math.min(steps.length - 1, number));
  const step = steps[place];
  document.querySelectorAll(".seen, .now").forEach((cell) => cell.classList.remove("seen", "now"));
  step.cells.forEach((id) => part(id).classList.add("seen"));
  steps.forEach((other, i) => part(other.out).classList.toggle("later", i > place));
  part(step.out).classList.add("now");
  part("at").textContent = step.at;
  part("sum").setAttribute("aria-live", aloud ? "polite" : "off");
  part("sum").textContent = step.sum;
  part("slider").value = place;
  part("slider").setAttribute("aria-valuetext", step.at);
}

function pause() {
  clearTimeout(timer);
  timer = 0;
  part("play").textContent = labels.play;
}

function tick() {
  if (place >= steps.length - 1) return pause();
  show(place + 1, false);
  timer = setTimeout(tick, 2000 / part("pace").value);
}

function toggle() {
  if (timer) return pause();
  if (place >= steps.length - 1) show(0, false);
  part("play").textContent = labels.pause;
  timer = setTimeout(tick, 2000 / part("pace").value);
}

const go = (number) => { pause(); show(number); };
const keys = {
  ArrowLeft: () => go(place - 1), ArrowRight: () => go(place + 1), Home: () => go(0), End: () => go(steps.length - 1), " ": toggle,
};

part("first").onclick = keys.Home;
part("back").onclick = keys.ArrowLeft;
part("play").onclick = toggle;
part("next").onclick = keys.ArrowRight;
part("last").onclick = keys.End;
part("slider").oninput = () => go(Number(part("slider").value));
document.addEventListener("keydown", (event) => {
  const own = ["BUTTON", "INPUT"].includes(event.target.tagName) && (event.key === " " || event.target.tagName === "INPUT");
  if (own || event.altKey || event.ctrlKey || event.metaKey || !(event.key in keys)) return;
  event.preventDefault();
  keys[event.key]();
});
show(0);
