import type { CodegenConfig } from "@graphql-codegen/cli";

/** Types of the operations in the sources, by the schema that the gateway is tested with. */
const config: CodegenConfig = {
  schema: "../schemas/portal.graphql",
  documents: ["src/**/*.{ts,tsx}", "!src/graphql/**"],
  generates: {
    "./src/graphql/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: {
        documentMode: "string",
        enumsAsTypes: true,
        useTypeImports: true,
        strictScalars: true,
        scalars: { DateTime: "string", Position: "string", JSON: "unknown" },
      },
    },
  },
};

export default config;
