package dev.berth.server.config;

import dev.berth.providers.Kind;
import dev.berth.providers.command.CommandKind;
import dev.berth.providers.fixed.FixedKind;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Parses as the server does, with given variables. */
record Parsing(Path folder, Map<String, String> variables) {

    Configuration parse(String text) throws ConfigurationInvalid {
        return ConfigurationParser.parse(text, folder, variables::get, kinds());
    }

    List<Kind> kinds() {
        return List.of(
                new FixedKind(), new CommandKind(folder, folder.resolve("runs"), "", Map.of("PATH", "/usr/bin:/bin")));
    }
}
