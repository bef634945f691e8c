// Sends the one form of a page, as its button would.
"use strict";
document.querySelector("form[data-send] button").click();
