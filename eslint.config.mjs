import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import { importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

// The way of a sample: a folder imports only from those before it (docs/architecture.md).
const layers = [
  ['base'],
  ['catalogue'],
  ['kernel', 'qmp', 'libvirt'],
  ['guests'],
  ['collectors'],
  ['sampling'],
  ['verdicts'],
  ['formats'],
  ['delivery'],
  ['recording'],
  ['history'],
  ['profiler'],
  ['cluster'],
  ['config'],
  ['report'],
  ['cli'],
  ['tui'],
  ['daemon'],
];

const zones = layers.flatMap((names, level) =>
  names.map((name) => ({
    target: `./src/${name}`,
    from: [
      ...layers.slice(level + 1).flat(),
      ...names.filter((other) => other !== name),
      'proxtop.ts',
      'proxprofiler.ts',
    ].map((other) => `./src/${other}`),
    message: `${name} may import only from the stages before it`,
  })),
);

const privateName = {
  selector: 'PrivateIdentifier',
  message: 'members are private by keyword, here as everywhere',
};

export default tseslint.config(
  { ignores: ['dist', 'build', 'node_modules'] },
  { files: ['**/*.mjs'], languageOptions: { globals: { process: 'readonly', console: 'readonly' } } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    settings: {
      'import-x/resolver-next': [createTypeScriptImportResolver()],
      'import-x/extensions': ['.ts'],
    },
    rules: {
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      'import-x/no-restricted-paths': ['error', { zones }],
      'import-x/no-duplicates': 'error',
      'import-x/no-unresolved': 'error',
      'max-lines': ['error', { max: 400 }],
      'no-console': 'error',
      'no-restricted-syntax': ['error', privateName],
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/libvirt/transport*.ts', 'src/cluster/ssh/ssh-source.ts', 'src/daemon/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: ['child_process', 'node:child_process'].map((name) => ({
            name,
            message: 'the daemon runs no programs',
          })),
        },
      ],
    },
  },
  {
    // Only paths.ts knows where the kernel keeps its files.
    files: ['src/**/*.ts'],
    ignores: ['src/kernel/base/paths.ts', 'src/config/**', 'src/catalogue/**', 'src/cli/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        privateName,
        {
          selector: 'Literal[value=/^\\u002f(proc|sys|run|etc\\u002fpve)(\\u002f|$)/]',
          message: 'kernel and runtime paths come from kernel/base/paths.ts',
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      'no-console': 'off',
      'max-lines': 'off',
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'describe', 'it', 'suite'] },
          ],
        },
      ],
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);
