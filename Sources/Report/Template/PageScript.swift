/// Steps through x_0 ... x_T. Without it the page shows all iterates side by side.
enum PageScript {
  static let text = """
    for (const stepper of document.querySelectorAll('.stepper')) {
      const cards = stepper.nextElementSibling.querySelectorAll('.card');
      const range = stepper.querySelector('input');
      const button = stepper.querySelector('.play');
      const last = Number(stepper.dataset.steps);
      let timer = 0;
      stepper.nextElementSibling.classList.add('stepping');
      stepper.hidden = false;
      function show(t) {
        range.value = t;
        stepper.querySelector('.at').textContent = t;
        for (const card of cards) {
          const frames = [...card.querySelectorAll('.strip li')];
          // Of many iterates only some have pictures: the one before shows.
          const pictured = frames.filter(f => Number(f.dataset.t) <= t && f.querySelector('.x')).pop();
          frames.forEach(f => f.classList.toggle('on', Number(f.dataset.t) === t));
          const stage = card.querySelector('.stage');
          if (!stage || !pictured) continue;
          stage.hidden = false;
          stage.querySelector('.from').src = frames[0].querySelector('.x').src;
          stage.querySelector('.to').src = pictured.querySelector('.x').src;
          stage.querySelector('.change').src = pictured.querySelector('.d').src;
          stage.querySelector('.at').textContent = t;
          const now = card.querySelector('.now');
          now.hidden = false;
          now.replaceChildren(...[...frames[t].querySelectorAll('span')].flatMap(s => [s.cloneNode(true), ' ']));
        }
      }
      function stop() { clearInterval(timer); timer = 0; button.innerHTML = '&#9654;'; }
      range.addEventListener('input', () => { stop(); show(Number(range.value)); });
      button.addEventListener('click', () => {
        if (timer) return stop();
        button.innerHTML = '&#10074;&#10074;';
        let t = Number(range.value) >= last ? -1 : Number(range.value);
        timer = setInterval(() => { show(++t); if (t >= last) stop(); }, 700);
      });
      for (const card of cards) for (const frame of card.querySelectorAll('.strip li'))
        frame.addEventListener('click', () => { stop(); show(Number(frame.dataset.t)); });
      show(last);
    }

    """
}
