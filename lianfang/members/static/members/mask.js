/* Rectangles by dragging over the picture: they go into the number fields, which work without this. */
"use strict";

(function () {
  var frame = document.querySelector("[data-mask-on]");
  if (!frame) { return; }
  var picture = frame.querySelector("img");
  var space = "http://www.w3.org/2000/svg";
  var sheet = document.createElementNS(space, "svg");
  sheet.setAttribute("viewBox", "0 0 100 100");
  sheet.setAttribute("preserveAspectRatio", "none");
  sheet.setAttribute("aria-hidden", "true");
  frame.append(sheet);
  var words = document.createElement("p");
  words.className = "meta mt-2";
  words.textContent = frame.dataset.maskOn;
  frame.after(words);

  var SIDES = ["left", "top", "width", "height"];
  function field(side, number) { return document.querySelector("[data-mask=" + side + number + "]"); }
  function row(number) { return SIDES.map(function (side) { return field(side, number); }); }
  function numbers() { var all = []; for (var n = 1; field("left", n); n += 1) { all.push(n); } return all; }

  function draw() {
    sheet.replaceChildren();
    numbers().forEach(function (number) {
      var values = row(number).map(function (one) { return parseFloat(one.value); });
      if (values.some(isNaN)) { return; }
      var box = document.createElementNS(space, "rect");
      ["x", "y", "width", "height"].forEach(function (name, place) { box.setAttribute(name, values[place]); });
      sheet.append(box);
    });
  }

  function place(event) {
    var edge = picture.getBoundingClientRect();
    return [
      Math.min(100, Math.max(0, (event.clientX - edge.left) / edge.width * 100)),
      Math.min(100, Math.max(0, (event.clientY - edge.top) / edge.height * 100)),
    ];
  }

  var from = null;
  var into = 0;
  function put(to) {
    var values = [Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.abs(from[0] - to[0]), Math.abs(from[1] - to[1])];
    row(into).forEach(function (one, index) { one.value = values[index].toFixed(1); });
    draw();
  }
  sheet.addEventListener("pointerdown", function (event) {
    into = numbers().find(function (number) { return row(number).every(function (one) { return one.value === ""; }); });
    if (!into) { return; }
    event.preventDefault();
    from = place(event);
    sheet.setPointerCapture(event.pointerId);
  });
  sheet.addEventListener("pointermove", function (event) { if (from) { put(place(event)); } });
  sheet.addEventListener("pointerup", function (event) {
    if (!from) { return; }
    var to = place(event);
    put(to);
    if (Math.abs(from[0] - to[0]) < 0.5 || Math.abs(from[1] - to[1]) < 0.5) {
      row(into).forEach(function (one) { one.value = ""; });
      draw();
    }
    from = null;
  });
  document.addEventListener("input", function (event) { if (event.target.dataset.mask) { draw(); } });
  draw();
})();
