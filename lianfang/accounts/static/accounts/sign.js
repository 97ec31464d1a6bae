/* Signing with a passkey instead of a code: the answer goes into the form, the person then presses the button. */
"use strict";

(function () {
  document.querySelectorAll("[data-sign-passkey]").forEach(function (button) {
    if (!window.PublicKeyCredential) { return; }
    button.hidden = false;
    button.addEventListener("click", async function () {
      var fields = button.form.elements;
      try {
        var answer = await fetch(button.dataset.signPasskey, { headers: { Accept: "application/json" } });
        var options = (await answer.json()).request_options;
        fields.second_factor_credential.value = JSON.stringify(await window.webauthnJSON.get(options));
        fields.second_factor_code.required = false;
        fields.second_factor_code.value = "";
        button.nextElementSibling.hidden = false;
      } catch (refused) {
        /* The person closed the dialogue: the code can still be typed. */
        fields.second_factor_credential.value = "";
      }
    });
  });
})();
