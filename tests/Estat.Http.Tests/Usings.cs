global using Estat.Testing;
global using Xunit;
