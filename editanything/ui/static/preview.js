// How a picture comes about, laid over the place where it will be.
const image = document.createElement('img');
image.className = 'ea-preview'; image.alt = ''; image.hidden = true;
const render = () => {
  const home = document.querySelector(WHERE), value = props.value;
  if (home && image.parentElement !== home) home.append(image);
  image.hidden = !value;
  if (value) image.src = value.image; else image.removeAttribute('src');
};
watch('value', render);
