// Saves a file that the server has just written.
watch('value', () => {
  if (!props.value) return;
  const link = document.createElement('a');
  link.href = props.value.file.url; link.download = props.value.name;
  document.body.append(link); link.click(); link.remove();
});
