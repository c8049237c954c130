
# Addresses have brackets and quotes, so people type them inside of quotes. What stands there is no word of the shell yet, and
# cobra's function could not pass it on.
__fluxbatch_inside_quotes()
{
    local quote=${1:0:1} text=${1:1} before=${COMP_LINE:0:COMP_POINT}
    before=${before%"$1"}
    [[ $quote == '"' ]] && text=${text//\\\"/\"}
    local out directive line
    out=$(eval "${COMP_WORDS[0]} __complete${before#*"${COMP_WORDS[0]}"}$(printf '%q' "$text")" 2>/dev/null)
    directive=${out##*:}
    COMPREPLY=()
    while IFS='' read -r line; do
        line=${line%%$'\t'*}
        [[ $line == "$text"* ]] || continue
        [[ $quote == '"' ]] && line=${line//\"/\\\"}
        COMPREPLY+=("$line")
    done <<<"${out%:*}"
    if (((directive & 4) != 0)) && [[ $(type -t compopt) == builtin ]]; then
        compopt +o default 2>/dev/null
    fi
}

__fluxbatch_complete()
{
    local word=${COMP_WORDS[COMP_CWORD]}
    if [[ $word == [\'\"]* ]]; then
        __fluxbatch_inside_quotes "$word"
    else
        __start_fluxbatch "$@"
    fi
}

if [[ $(type -t compopt) = "builtin" ]]; then
    complete -o default -F __fluxbatch_complete fluxbatch
else
    complete -o default -o nospace -F __fluxbatch_complete fluxbatch
fi
