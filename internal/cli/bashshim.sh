# Where the package bash-completion is not loaded, what the completion needs of it is defined here, in short.
if ! declare -F _get_comp_words_by_ref >/dev/null; then
  _get_comp_words_by_ref() {
    words=("${COMP_WORDS[@]}")
    cword=$COMP_CWORD
    cur=${COMP_WORDS[COMP_CWORD]}
    prev=${COMP_WORDS[COMP_CWORD - 1]}
  }
fi
if ! declare -F __ltrim_colon_completions >/dev/null; then
  __ltrim_colon_completions() { :; }
fi
if ! declare -F _filedir >/dev/null; then
  _filedir() {
    local option=-f
    [ "$1" = -d ] && option=-d
    mapfile -t COMPREPLY < <(compgen "$option" -- "$cur")
  }
fi

