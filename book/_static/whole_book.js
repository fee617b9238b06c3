/* Offers the whole book for download: `make pdf` puts the name of the PDF into the built copy of this script. */
const pdf = "";

if (pdf) {
  addEventListener("DOMContentLoaded", () => {
    const address = document.documentElement.dataset.content_root + pdf;
    document
      .querySelector(".dropdown-download-buttons .dropdown-menu")
      ?.insertAdjacentHTML(
        "beforeend",
        `<li><a class="btn btn-sm dropdown-item" href="${address}" download><span class="btn__icon-container"><i class="fas fa-book"></i></span><span class="btn__text-container">The whole book (.pdf)</span></a></li>`,
      );
  });
}
