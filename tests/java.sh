# Sourced by tests/bench, tests/fuzz and tests/exact-training, which set here and root.

# Prints message $1 and exits with code $2.
fail() {
  echo "$1" >&2
  exit "$2"
}

is_new_enough() {
  [ -x "$1/bin/javac" ] || return 1
  version=$("$1/bin/java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
  [ -n "$version" ] && [ "$version" -ge 25 ]
}

find_jdk() {
  if [ -n "${JAVA_HOME:-}" ] && is_new_enough "$JAVA_HOME"; then
    echo "$JAVA_HOME"
    return
  fi
  if command -v javac >/dev/null 2>&1; then
    onpath=$(dirname -- "$(dirname -- "$(readlink -f -- "$(command -v javac)")")")
    if is_new_enough "$onpath"; then
      echo "$onpath"
      return
    fi
  fi
  for home in /usr/lib/jvm/* "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home; do
    if is_new_enough "$home"; then
      echo "$home"
      return
    fi
  done
}

# Sets JAVA_HOME, and builds if a source is newer than the class path file.
# Arguments: the class path file, then options for Maven.
build_classpath() {
  JAVA_HOME=$(find_jdk)
  [ -n "$JAVA_HOME" ] || fail "no JDK 25 or newer found: set JAVA_HOME to one" 1
  export JAVA_HOME
  classpath=$1
  shift
  if [ ! -f "$classpath" ] || [ -n "$(find "$root" -path '*/src/main/*' -newer "$classpath" \
    -type f -print 2>/dev/null | head -n 1)" ]; then
    echo "building ..." >&2
    (cd "$root" && ./mvnw -q "$@" -DskipTests package) || fail "the build failed" 1
    touch "$classpath"
  fi
}
