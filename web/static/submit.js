/* Sends the form of web/templates/post_binding.html; without JavaScript its button does. */
document.getElementById("onward").submit();
