import type { Command } from 'commander';

/**
 * Makes a command name an option that it does not know before one that is missing: `--spcae` is both. Commander asks for
 * mandatory options first.
 */
export function nameUnknownFirst(command: Command): void {
  const required = command.options.filter(({ mandatory }) => mandatory);
  for (const option of required) option.makeOptionMandatory(false);
  // By then commander has refused what it does not know.
  command.hook('preAction', () => {
    for (const option of required)
      if (command.getOptionValue(option.attributeName()) === undefined)
        command.error(`error: required option '${option.flags}' not specified`, {
          code: 'commander.missingMandatoryOptionValue',
        });
  });
}
