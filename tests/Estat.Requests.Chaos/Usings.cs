global using Estat.Testing;
